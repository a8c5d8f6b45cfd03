package sms

import (
	"errors"
	"fmt"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
)

// lockWait bounds the wait for a file that another process holds.
const lockWait = time.Second

// ErrStoreClosed says that a BoltStore was closed.
var ErrStoreClosed = errors.New("sms: the store is closed")

// BoltStore is a Store in one file, on bbolt. Commits are grouped: what is
// asked for while one commit waits for the disk goes into the next together.
type BoltStore struct {
	db *bolt.DB

	mu      sync.Mutex
	queue   []*commit
	leading bool // someone is committing the queue
	closed  bool
	idle    chan struct{} // closed when the last leader has ended, once closed
}

type commit struct {
	changes []Change
	done    chan error
}

// OpenStore opens the store in the file at path, and creates it if there is
// none. The file stays locked until Close; one that another process holds is an
// error after a second.
func OpenStore(path string) (*BoltStore, error) {
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: lockWait, FreelistType: bolt.FreelistMapType, NoFreelistSync: true})
	if err != nil {
		return nil, fmt.Errorf("sms: opening the store %s: %w", path, err)
	}
	return &BoltStore{db: db, idle: make(chan struct{})}, nil
}

// Load implements Store.
func (s *BoltStore) Load(bucket string, f func(key, value []byte) error) error {
	return s.db.View(func(tx *bolt.Tx) error {
		b := tx.Bucket([]byte(bucket))
		if b == nil {
			return nil
		}
		return b.ForEach(f)
	})
}

// Commit implements Store. The first of several callers commits for all that
// come while it does.
func (s *BoltStore) Commit(changes []Change) error {
	c := &commit{changes: changes, done: make(chan error, 1)}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return ErrStoreClosed
	}
	s.queue = append(s.queue, c)
	leader := !s.leading
	s.leading = true
	s.mu.Unlock()
	if leader {
		s.lead()
	}
	return <-c.done
}

// lead commits until nothing is queued.
func (s *BoltStore) lead() {
	for {
		s.mu.Lock()
		group := s.queue
		s.queue = nil
		if len(group) == 0 {
			s.leading = false
			if s.closed {
				close(s.idle)
			}
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
		err := s.write(group)
		for _, c := range group {
			c.done <- err
		}
	}
}

func (s *BoltStore) write(group []*commit) error {
	return s.db.Update(func(tx *bolt.Tx) error {
		for _, c := range group {
			for _, change := range c.changes {
				if err := apply(tx, change); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func apply(tx *bolt.Tx, c Change) error {
	b, err := tx.CreateBucketIfNotExists([]byte(c.Bucket))
	if err != nil {
		return err
	}
	if c.Value == nil {
		return b.Delete(c.Key)
	}
	return b.Put(c.Key, c.Value)
}

// Close waits for commits that run and closes the file. It may be called
// twice.
func (s *BoltStore) Close() error {
	s.mu.Lock()
	first := !s.closed
	s.closed = true
	if first && !s.leading {
		close(s.idle)
	}
	s.mu.Unlock()
	<-s.idle
	return s.db.Close()
}
