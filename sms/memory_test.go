package sms_test

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/sms"
)

// memory is a Store that outlives the programs of a test, without a disk.
type memory struct {
	mu      sync.Mutex
	buckets map[string]map[string][]byte
}

func newMemory() *memory { return &memory{buckets: make(map[string]map[string][]byte)} }

func (m *memory) Load(bucket string, f func(key, value []byte) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	var keys []string
	for k := range m.buckets[bucket] {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		if err := f([]byte(k), m.buckets[bucket][k]); err != nil {
			return err
		}
	}
	return nil
}

func (m *memory) Commit(changes []sms.Change) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range changes {
		b := m.buckets[c.Bucket]
		if b == nil {
			b = make(map[string][]byte)
			m.buckets[c.Bucket] = b
		}
		if c.Value == nil {
			delete(b, string(c.Key))
		} else {
			b[string(c.Key)] = slices.Clone(c.Value)
		}
	}
	return nil
}

func (m *memory) count(bucket string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.buckets[bucket])
}

// shiftReceipts moves the times of receipts, as if the clock had been wrong when
// they were written.
func shiftReceipts(t *testing.T, store sms.Store, by time.Duration) {
	var changes []sms.Change
	require.NoError(t, store.Load("receipt", func(key, value []byte) error {
		record := make(map[string]any)
		require.NoError(t, json.Unmarshal(value, &record))
		for _, name := range []string{"ends", "sent"} {
			at, err := time.Parse(time.RFC3339Nano, record[name].(string))
			require.NoError(t, err)
			record[name] = at.Add(by)
		}
		value, err := json.Marshal(record)
		changes = append(changes, sms.Change{Bucket: "receipt", Key: slices.Clone(key), Value: value})
		return err
	}))
	require.NotEmpty(t, changes)
	require.NoError(t, store.Commit(changes))
}

// statusReport is a +CDS in PDU mode.
func statusReport(tpdu []byte) string {
	return fmt.Sprintf("+CDS: %d\r\n00%s", len(tpdu), strings.ToUpper(hex.EncodeToString(tpdu)))
}

// clone is what a program finds that begins when another was killed.
func (m *memory) clone() *memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := newMemory()
	for bucket, records := range m.buckets {
		c.buckets[bucket] = maps.Clone(records)
	}
	return c
}
