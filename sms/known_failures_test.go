package sms_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/sms"
)

// Known failures 5 and 6 of other drivers: all long messages have the same
// reference, so that a phone joins parts of different ones; those who send at the
// same time mix up numbers and parts.
func TestKnownFailure5And6LongMessagesAtTheSameTime(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		other := b.network.Phone("+15555550124")
		var all sync.WaitGroup
		var mu sync.Mutex
		sent := map[string][]string{}
		for sender := range 8 {
			to := []string{b.phone.Number(), other.Number()}[sender%2]
			text := strings.Repeat(fmt.Sprintf("to %s from sender %d. ", to, sender), 12)
			all.Go(func() {
				receipt, err := b.service.Send(t.Context(), sms.Message{To: to, Text: text})
				require.NoError(t, err)
				require.Len(t, receipt.Parts, 3)
				mu.Lock()
				defer mu.Unlock()
				sent[to] = append(sent[to], text)
			})
		}
		all.Wait()
		for _, phone := range []*fakemodem.Phone{b.phone, other} {
			var got []string
			for range 4 {
				message, err := phone.Receive(t.Context())
				require.NoError(t, err)
				got = append(got, message.Text)
			}
			require.ElementsMatch(t, sent[phone.Number()], got)
		}
	})
}
