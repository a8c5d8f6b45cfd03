package sms_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/sms"
)

func init() { fill = fillDisk }

// fillDisk commits records until the file may not grow, and some more when it may
// again. It runs in a process of its own, whose limit it sets.
func fillDisk(store *sms.BoltStore, path string) error {
	signal.Ignore(syscall.SIGXFSZ)
	put := func(i uint32) error {
		return store.Commit([]sms.Change{{Bucket: "x", Key: binary.BigEndian.AppendUint32(nil, i), Value: make([]byte, 1000)}})
	}
	if err := put(0); err != nil {
		return err
	}
	file, err := os.Stat(path)
	if err != nil {
		return err
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	most := limit.Cur
	limit.Cur = uint64(file.Size())
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	kept, refused := 1, 0
	for i := range uint32(200) {
		if put(i+1) == nil {
			kept++
		} else {
			refused++
		}
	}
	limit.Cur = most
	if err := errors.Join(syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit), put(300), store.Close()); err != nil {
		return err
	}
	fmt.Println("kept", kept+1, "refused", refused)
	return nil
}

// Promise 4: a store on a full disk says so, keeps what it has said to be durable,
// and goes on when there is room.
func TestPromise4AStoreOnAFullDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	kept, refused := 0, 0
	runChild(t, fillRole, dir, 0, time.Minute, func(line string) bool {
		_, err := fmt.Sscanf(strings.TrimSpace(line), "kept %d refused %d", &kept, &refused)
		require.NoError(t, err, line)
		return false
	})
	require.NotZero(t, refused)
	store, err := sms.OpenStore(dir + "/sms.db")
	require.NoError(t, err)
	records := 0
	require.NoError(t, store.Load("x", func(_, value []byte) error {
		records++
		require.Len(t, value, 1000)
		return nil
	}))
	require.Equal(t, kept, records)
	require.NoError(t, store.Close())
}
