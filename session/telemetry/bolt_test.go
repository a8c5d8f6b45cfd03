package telemetry

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	bolt "go.etcd.io/bbolt"
)

func TestStoreRefusesWhatIsNotOne(t *testing.T) {
	dir := t.TempDir()
	good := filepath.Join(dir, "good.db")
	s, err := OpenStore(good)
	require.NoError(t, err)
	require.NoError(t, s.Update(func(tx Tx) error {
		for i := range 1000 {
			if err := tx.Put(fmt.Appendf(nil, "x%d", i), make([]byte, 1000)); err != nil {
				return err
			}
		}
		return nil
	}))
	require.NoError(t, s.Close())
	content, err := os.ReadFile(good)
	require.NoError(t, err)

	foreign := filepath.Join(dir, "foreign.db")
	db, err := bolt.Open(foreign, 0o600, nil)
	require.NoError(t, err)
	require.NoError(t, db.Close())

	write := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, b, 0o600))
		return path
	}
	noise := bytes.Repeat([]byte("not a store. "), 4096)
	for name, path := range map[string]string{
		"text":            write("text", []byte("hello")),
		"noise":           write("noise", noise),
		"cut in half":     write("half", content[:len(content)/2]),
		"cut to a page":   write("page", content[:4096]),
		"another program": foreign,
	} {
		_, err := OpenStore(path)
		var failed *StoreError
		require.ErrorAs(t, err, &failed, name)
		require.ErrorIs(t, err, ErrStoreFormat, name)
		require.Equal(t, path, failed.Path)
	}
	_, err = OpenStore(filepath.Join(dir, "no such folder", "x.db"))
	require.ErrorIs(t, err, os.ErrNotExist)
	s, err = OpenStore(write("empty", nil))
	require.NoError(t, err, "touched by somebody first")
	require.NoError(t, s.Close())
}

func TestStoreIsLocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the wait for the lock takes no time here
		path := filepath.Join(t.TempDir(), "store.db")
		s, err := OpenStore(path)
		require.NoError(t, err)
		_, err = OpenStore(path)
		require.ErrorIs(t, err, ErrStoreLocked)
		require.NoError(t, s.Close())
		require.NoError(t, s.Close(), "twice")
		require.ErrorIs(t, s.Update(func(Tx) error { return nil }), ErrClosed)
		require.ErrorIs(t, s.View(func(Tx) error { return nil }), ErrClosed)
		s, err = OpenStore(path)
		require.NoError(t, err)
		require.NoError(t, s.Close())
	})
}

func TestStoreBelongsToOneName(t *testing.T) {
	s, err := OpenStore(filepath.Join(t.TempDir(), "store.db"))
	require.NoError(t, err)
	defer s.Close()
	e, err := Open(Config{Name: "pump-7", Store: s})
	require.NoError(t, err)
	require.NoError(t, e.Close())
	_, err = Open(Config{Name: "pump-8", Store: s})
	require.ErrorIs(t, err, ErrStoreIdentity)
}

func TestGroupCommitLeavesOutOnlyWhatFails(t *testing.T) {
	s, err := OpenStore(filepath.Join(t.TempDir(), "store.db"))
	require.NoError(t, err)
	defer s.Close()
	errOdd := errors.New("odd")
	var callers sync.WaitGroup
	results := make([]error, 100)
	for i := range results {
		callers.Go(func() {
			results[i] = s.Update(func(tx Tx) error {
				if err := tx.Put(fmt.Appendf(nil, "x%02d", i), []byte{1}); err != nil {
					return err
				}
				if i%2 == 1 {
					return errOdd
				}
				return nil
			})
		})
	}
	callers.Wait()
	require.NoError(t, s.View(func(tx Tx) error {
		for i, err := range results {
			if i%2 == 1 {
				require.Equal(t, errOdd, err)
			} else {
				require.NoError(t, err)
			}
			require.Equal(t, i%2 == 0, tx.Get(fmt.Appendf(nil, "x%02d", i)) != nil)
		}
		return nil
	}))
}

// TestUserKeysAreApart: an application cannot reach the marks.
func TestUserKeysAreApart(t *testing.T) {
	s, err := OpenStore(filepath.Join(t.TempDir(), "store.db"))
	require.NoError(t, err)
	defer s.Close()
	require.NoError(t, s.Update(func(tx Tx) error {
		u := userTx{tx}
		require.Nil(t, u.Get(formatKey))
		require.NoError(t, u.Put([]byte("a1"), []byte("1")))
		require.NoError(t, u.Put([]byte("a2"), []byte("2")))
		require.NoError(t, u.Put(nil, []byte("the empty key")))
		var keys []string
		u.Scan(nil, nil, func(k, _ []byte) bool { keys = append(keys, string(k)); return true })
		require.Equal(t, []string{"", "a1", "a2"}, keys)
		keys = nil
		u.Scan([]byte("a"), []byte("a2"), func(k, _ []byte) bool { keys = append(keys, string(k)); return true })
		require.Equal(t, []string{"a2"}, keys)
		require.NoError(t, u.Delete([]byte("a1")))
		require.Nil(t, u.Get([]byte("a1")))
		return nil
	}))
}
