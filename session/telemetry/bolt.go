package telemetry

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// lockWait is how long OpenStore waits for another process to let go of the
// file, so that a restart does not trip over the end of its predecessor.
const lockWait = 2 * time.Second

// bucketName is the one bucket of the file; formatKey in it names the layout.
var (
	bucketName  = []byte("telemodem telemetry")
	formatKey   = []byte{'f'}
	formatValue = []byte{1}
)

// BoltStore is a Store in one file, on bbolt. Commits are grouped: whatever was
// asked for while one commit waits for the disk goes into the next one
// together, so many senders share the cost of a flush and a single one never
// waits for company.
type BoltStore struct {
	path string
	db   *bolt.DB

	requests chan *update
	closing  chan struct{}
	done     chan struct{}
	once     sync.Once
	err      error // of closing the file; read after done
}

// OpenStore opens the store in the file at path and creates it if there is
// none. The file stays locked until Close. Errors are of type *StoreError, with
// ErrStoreLocked or ErrStoreFormat as the cause where they fit.
func OpenStore(path string) (*BoltStore, error) {
	db, err := openBolt(path)
	if err != nil {
		return nil, &StoreError{Path: path, Op: "open", Err: err}
	}
	s := &BoltStore{
		path:     path,
		db:       db,
		requests: make(chan *update),
		closing:  make(chan struct{}),
		done:     make(chan struct{}),
	}
	go s.run()
	return s, nil
}

func openBolt(path string) (*bolt.DB, error) {
	if err := createFile(path); err != nil {
		return nil, err
	}
	if err := checkFile(path); err != nil {
		return nil, err
	}
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: lockWait, FreelistType: bolt.FreelistMapType})
	if err != nil {
		return nil, openCause(err)
	}
	if err := db.View(checkFormat); err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

// createFile makes a complete empty store beside path and links it into place,
// so that a process killed half-way leaves no half-made file under the name.
func createFile(path string) error {
	if info, err := os.Stat(path); err == nil && info.Size() > 0 {
		return nil
	} else if err == nil { // nothing in it: the file of a program that touches first
		if err := os.Remove(path); err != nil {
			return err
		}
	} else if !errors.Is(err, os.ErrNotExist) {
		return err
	}
	fresh := fmt.Sprintf("%s.new%d", path, os.Getpid())
	defer os.Remove(fresh)
	os.Remove(fresh) // of an earlier process with our number
	db, err := bolt.Open(fresh, 0o600, &bolt.Options{Timeout: lockWait})
	if err != nil {
		return err
	}
	err = db.Update(func(tx *bolt.Tx) error {
		b, err := tx.CreateBucket(bucketName)
		if err != nil {
			return err
		}
		return b.Put(formatKey, formatValue)
	})
	if err := errors.Join(err, db.Close()); err != nil {
		return err
	}
	switch err := os.Link(fresh, path); {
	case err == nil, errors.Is(err, os.ErrExist): // made by somebody else meanwhile
	default: // a file system without links
		if err := os.Rename(fresh, path); err != nil {
			return err
		}
	}
	return syncFolder(filepath.Dir(path))
}

// syncFolder has the name of a new file on disk; systems that cannot sync a
// folder do not need it.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	_ = d.Sync()
	return d.Close()
}

// checkFile refuses a file that is shorter than its own pages say: reading the
// missing ones would kill the process. Only the first pages are touched.
func checkFile(path string) error {
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: lockWait, ReadOnly: true})
	if err != nil {
		return openCause(err)
	}
	defer db.Close()
	return db.View(func(tx *bolt.Tx) error {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		if info.Size() < tx.Size() {
			return fmt.Errorf("%w: %d octets of %d", ErrStoreFormat, info.Size(), tx.Size())
		}
		return nil
	})
}

func checkFormat(tx *bolt.Tx) error {
	b := tx.Bucket(bucketName)
	if b == nil {
		return fmt.Errorf("%w: a bbolt file of another program", ErrStoreFormat)
	}
	if v := b.Get(formatKey); !bytes.Equal(v, formatValue) {
		return fmt.Errorf("%w: layout %x, this version reads %x", ErrStoreFormat, v, formatValue)
	}
	return nil
}

// openCause names the cause of a failed opening. What is not the system's word
// is bbolt's about the content of the file.
func openCause(err error) error {
	var file *fs.PathError
	var system syscall.Errno
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return ErrStoreLocked
	case errors.As(err, &file), errors.As(err, &system):
		return err
	}
	return fmt.Errorf("%w: %w", ErrStoreFormat, err)
}

// Close ends the store: commits in progress are finished, later calls answer
// ErrClosed. It may be called twice. Close the endpoint first.
func (s *BoltStore) Close() error {
	s.once.Do(func() { close(s.closing) })
	<-s.done
	return s.err
}

// Path returns the name of the file.
func (s *BoltStore) Path() string { return s.path }

// View implements Store.
func (s *BoltStore) View(fn func(Tx) error) error {
	select {
	case <-s.closing:
		return ErrClosed
	default:
	}
	var inner error
	err := s.db.View(func(tx *bolt.Tx) error {
		inner = fn(boltTx{tx, tx.Bucket(bucketName)})
		return inner
	})
	return s.wrap("read", err, inner)
}

// Update implements Store. An error of fn is returned as it is, one of the
// disk as *StoreError.
func (s *BoltStore) Update(fn func(Tx) error) error {
	u := &update{fn: fn, done: make(chan struct{})}
	select {
	case s.requests <- u:
		<-u.done
		return s.wrap("write", u.err, u.inner)
	case <-s.closing:
		return ErrClosed
	}
}

// wrap leaves errors of the caller's function alone.
func (s *BoltStore) wrap(op string, err, inner error) error {
	switch {
	case err == nil:
		return nil
	case inner != nil:
		return inner
	case errors.Is(err, berrors.ErrDatabaseNotOpen):
		return ErrClosed
	}
	return &StoreError{Path: s.path, Op: op, Err: err}
}

// update is one caller's part of a commit.
type update struct {
	fn    func(Tx) error
	inner error // what fn returned
	err   error // what the commit came to
	done  chan struct{}
}

// maxGroup bounds the updates in one commit.
const maxGroup = 512

// run owns all writing.
func (s *BoltStore) run() {
	defer close(s.done)
	for {
		select {
		case u := <-s.requests:
			s.commit(s.gather(u))
		case <-s.closing:
			s.err = s.db.Close()
			return
		}
	}
}

// gather takes whoever else is waiting, and waits for nobody.
func (s *BoltStore) gather(first *update) []*update {
	group := []*update{first}
	for len(group) < maxGroup {
		select {
		case u := <-s.requests:
			group = append(group, u)
		default:
			return group
		}
	}
	return group
}

// commit commits the group in one transaction. If one member's function
// fails, it is left out and the rest starts again: it must not take the others
// down with it.
func (s *BoltStore) commit(group []*update) {
	for len(group) > 0 {
		failed := -1
		err := s.db.Update(func(tx *bolt.Tx) error {
			t := boltTx{tx, tx.Bucket(bucketName)}
			for i, u := range group {
				if u.inner = u.fn(t); u.inner != nil {
					failed = i
					return u.inner
				}
			}
			return nil
		})
		if failed < 0 {
			for _, u := range group {
				u.err = err
				close(u.done)
			}
			return
		}
		group[failed].err = err
		close(group[failed].done)
		group = append(group[:failed], group[failed+1:]...)
	}
}

// boltTx is a Tx on the one bucket.
type boltTx struct {
	tx *bolt.Tx
	b  *bolt.Bucket
}

func (t boltTx) Get(key []byte) []byte       { return t.b.Get(key) }
func (t boltTx) Put(key, value []byte) error { return t.b.Put(key, value) }
func (t boltTx) Delete(key []byte) error     { return t.b.Delete(key) }
func (t boltTx) OnCommit(fn func())          { t.tx.OnCommit(fn) }

func (t boltTx) Scan(prefix, from []byte, fn func(key, value []byte) bool) {
	c := t.b.Cursor()
	if bytes.Compare(from, prefix) < 0 {
		from = prefix
	}
	for k, v := c.Seek(from); k != nil && bytes.HasPrefix(k, prefix); k, v = c.Next() {
		if !fn(k, v) {
			return
		}
	}
}
