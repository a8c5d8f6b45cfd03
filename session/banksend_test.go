package session_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/session"
	"github.com/telemodem/telemodem/session/profile"
	"github.com/telemodem/telemodem/sms"
)

func message(to *fakemodem.Phone, text string) sms.Message {
	return sms.Message{To: to.Number(), Text: text}
}

func requireNotSent(t *testing.T, err error) {
	t.Helper()
	require.ErrorIs(t, err, sms.ErrNotSent)
	require.NotErrorIs(t, err, sms.ErrInDoubt)
}

func requireInDoubt(t *testing.T, err error) {
	t.Helper()
	require.ErrorIs(t, err, sms.ErrInDoubt)
	require.NotErrorIs(t, err, sms.ErrNotSent)
}

// sends counts the commands to send a message that come to a modem.
func sends(fake *fakemodem.Modem) (count func() int) {
	var mu sync.Mutex
	n := 0
	fake.Watch(func(tr fakemodem.Trace) {
		if tr.Direction == fakemodem.FromHost && strings.Contains(string(tr.Data), "AT+CMGS") {
			mu.Lock()
			defer mu.Unlock()
			n++
		}
	})
	return func() int {
		mu.Lock()
		defer mu.Unlock()
		return n
	}
}

// The modem sent the message and its answer got lost: no other one sends it again.
func TestPromise4BankNeverRepeatsWhatIsInDoubt(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		bank, fakes := openBank(t, network, nil, 3)
		fit(t, bank, 3)
		for _, fake := range fakes {
			fake.Inject(fakemodem.Fault{ID: "F18", On: "+CMGS", Times: -1})
		}
		phone := network.Phone("+15555550199")
		receipt, err := bank.Send(t.Context(), message(phone, "once"))
		requireInDoubt(t, err)
		var failed *sms.SendError
		require.ErrorAs(t, err, &failed)
		require.Same(t, failed, err, "as it is")
		require.Equal(t, sms.InDoubt, receipt.Parts[0].Outcome)
		require.Equal(t, 1, statusOf(t, bank, receipt.Modem).InDoubt)
		time.Sleep(time.Hour)
		require.Len(t, phone.Inbox(), 1)
	})
}

// A line that goes while the message is with the modem: the same.
func TestPromise4BankNeverRepeatsWhatALostModemHad(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		bank, fakes := openBank(t, network, nil, 2)
		fit(t, bank, 2)
		for _, fake := range fakes {
			fake.Inject(fakemodem.Fault{ID: "F22", On: "+CMGS", Delay: 20 * time.Second})
		}
		phone := network.Phone("+15555550199")
		go func() {
			time.Sleep(10 * time.Second)
			for _, m := range bank.Status() {
				if m.Outstanding > 0 {
					fakes[m.Modem[0]-'a'].Inject(fakemodem.Fault{ID: "F97"})
				}
			}
		}()
		_, err := bank.Send(t.Context(), message(phone, "once"))
		requireInDoubt(t, err)
		time.Sleep(time.Hour)
		require.Len(t, phone.Inbox(), 1)
	})
}

// What a modem certainly did not send is sent by the next, once.
func TestBankTriesTheNextModem(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		bank, fakes := openBank(t, network, nil, 2)
		fit(t, bank, 2)
		phone := network.Phone("+15555550199")
		fakes[0].Inject(fakemodem.Fault{ID: "F33", Code: 50, Times: -1}) // requested facility not subscribed
		for i := range 6 {
			receipt, err := bank.Send(t.Context(), message(network.Phone(fmt.Sprintf("+1555555010%d", i)), "hello"))
			require.NoError(t, err)
			require.Equal(t, "b", receipt.Modem)
		}
		a, b := statusOf(t, bank, "a"), statusOf(t, bank, "b")
		require.Equal(t, 1, a.NotSent, "asked once, and then it stands behind")
		require.Equal(t, 6, b.Sent)
		require.Zero(t, a.Sent+a.InDoubt+b.NotSent+b.InDoubt)

		time.Sleep(10 * time.Minute) // it may try again
		fakes[0].ClearFaults()
		fakes[1].Inject(fakemodem.Fault{ID: "F97"})
		time.Sleep(time.Second)
		receipt, err := bank.Send(t.Context(), message(phone, "hello"))
		require.NoError(t, err)
		require.Equal(t, "a", receipt.Modem)
		require.Len(t, phone.Inbox(), 1)
	})
}

// No more than BankConfig.Attempts modems bother the network with a message.
func TestBankAttemptsAreBounded(t *testing.T) {
	for attempts, want := range map[int]int{0: 3, 1: 1, 4: 4, -1: 5} {
		t.Run(fmt.Sprint(attempts), func(t *testing.T) {
			inTime(t, func(t *testing.T, network *fakemodem.Network) {
				bank, fakes := openBank(t, network, &session.BankConfig{Attempts: attempts}, 5)
				fit(t, bank, 5)
				for _, fake := range fakes {
					fake.Inject(fakemodem.Fault{ID: "F33", Code: 50, Times: -1})
				}
				began := time.Now()
				_, err := bank.Send(t.Context(), message(network.Phone("+15555550199"), "hello"))
				requireNotSent(t, err)
				require.Less(t, time.Since(began), time.Minute, "nobody else is waited for")
				var unsent *session.UnsentError
				require.ErrorAs(t, err, &unsent)
				require.Len(t, unsent.Tried, want)
				for _, tried := range unsent.Tried {
					require.ErrorContains(t, err, tried.Modem+": sms: part 1 of 1 not sent")
				}
				if attempts < 0 {
					require.ErrorIs(t, err, session.ErrNoFitModem)
					require.ErrorContains(t, err, "no modem of the bank is fit to send (5 tried it)")
				} else {
					require.NoError(t, unsent.Err)
				}
			})
		})
	}
}

// What one modem has begun no other goes on with: the receiver could not put it
// together.
func TestBankDoesNotSplitALongMessage(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		bank, fakes := openBank(t, network, nil, 2)
		fit(t, bank, 2)
		phone := network.Phone("+15555550199")
		first, err := bank.Send(t.Context(), message(phone, "whose number is this"))
		require.NoError(t, err)
		this, other := fakes[first.Modem[0]-'a'], fakes['b'-first.Modem[0]]
		count := sends(other)
		this.Inject(fakemodem.Fault{ID: "F33", Code: 50, On: "+CMGS", Times: -1, In: 7 * time.Second})
		this.Inject(fakemodem.Fault{ID: "F22", On: "+CMGS", Delay: 6 * time.Second, Times: 1})
		receipt, err := bank.Send(t.Context(), message(phone, strings.Repeat("long ", 80)))
		requireNotSent(t, err)
		var failed *sms.SendError
		require.ErrorAs(t, err, &failed)
		require.Greater(t, failed.Part, 1)
		require.Equal(t, first.Modem, receipt.Modem)
		require.Equal(t, sms.Sent, receipt.Parts[0].Outcome)
		require.Zero(t, count())
	})
}

// A message that nobody could send is refused at once, by the codec.
func TestBankRefusesAnInvalidMessage(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		bank, fakes := openBank(t, network, nil, 2)
		fit(t, bank, 2)
		count := []func() int{sends(fakes[0]), sends(fakes[1])}
		_, err := bank.Send(t.Context(), sms.Message{To: "12\r34", Text: "x"})
		require.ErrorIs(t, err, sms.ErrInvalidMessage)
		require.NotErrorIs(t, err, sms.ErrNotSent, "that would be safe to send again")
		require.Zero(t, count[0]()+count[1]())
		require.Zero(t, statusOf(t, bank, "a").NotSent+statusOf(t, bank, "b").NotSent)
	})
}

// What one modem has no form for, since it has text mode alone, another one sends.
func TestBankSendsByAModemThatHasAForm(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		bank, _ := openBank(t, network, nil, 1)
		own := *profile.SIM800
		own.SMS.TextMode = true
		text := named("0 comes first", network.NewModem(fakemodem.SIM800))
		text.Profile = &own
		require.NoError(t, bank.Add(text))
		fit(t, bank, 2)
		phone := network.Phone("+15555550199")
		first, err := bank.Send(t.Context(), message(phone, "short enough"))
		require.NoError(t, err)
		require.Equal(t, text.Name, first.Modem)
		second, err := bank.Send(t.Context(), message(phone, strings.Repeat("long ", 80)))
		require.NoError(t, err)
		require.Equal(t, "a", second.Modem)
		require.Zero(t, statusOf(t, bank, text.Name).NotSent, "it was not asked for what it cannot")
	})
}

// A recipient meets one number, as long as that modem is fit; the recipients are
// shared out evenly; what goes is taken over by the others.
func TestBankRecipientsKeepTheirModem(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		bank, fakes := openBank(t, network, nil, 4)
		fit(t, bank, 4)
		const recipients = 12
		known := make(map[string]string)
		for round := range 3 {
			for i := range recipients {
				phone := network.Phone(fmt.Sprintf("+155555502%02d", i))
				receipt, err := bank.Send(t.Context(), message(phone, fmt.Sprint("round ", round)))
				require.NoError(t, err)
				if round > 0 {
					require.Equal(t, known[phone.Number()], receipt.Modem)
				}
				known[phone.Number()] = receipt.Modem
			}
		}
		for _, m := range bank.Status() {
			require.Equal(t, 3*recipients/4, m.Sent, m.Modem)
		}
		fakes[2].Inject(fakemodem.Fault{ID: "F97"})
		time.Sleep(time.Second)
		for range 2 {
			for number, modem := range known {
				receipt, err := bank.Send(t.Context(), sms.Message{To: number, Text: "without c"})
				require.NoError(t, err)
				require.NotEqual(t, "c", receipt.Modem)
				if modem != "c" {
					require.Equal(t, modem, receipt.Modem, "no reason to change")
				}
				known[number] = receipt.Modem
			}
		}
	})
}

// A modem that tried a message and did not get it off is none that the recipient
// knows.
func TestBankRecipientDoesNotMeetWhoFailed(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		bank, fakes := openBank(t, network, nil, 2)
		fit(t, bank, 2)
		phone := network.Phone("+15555550199")
		first, err := bank.Send(t.Context(), message(phone, "whose number is this"))
		require.NoError(t, err)
		for _, fake := range fakes {
			fake.Inject(fakemodem.Fault{ID: "F33", Code: 50})
		}
		_, err = bank.Send(t.Context(), message(phone, "nobody's"))
		requireNotSent(t, err)
		again, err := bank.Send(t.Context(), message(phone, "the same number"))
		require.NoError(t, err)
		require.Equal(t, first.Modem, again.Modem)
	})
}

// He knows one that sent him a part, though the rest failed.
func TestBankRecipientKnowsWhoSentAPart(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		bank, fakes := openBank(t, network, nil, 2)
		fit(t, bank, 2)
		for _, fake := range fakes {
			fake.Inject(fakemodem.Fault{ID: "F33", Code: 50, Times: -1, In: 3 * time.Second})
		}
		phone := network.Phone("+15555550199")
		receipt, err := bank.Send(t.Context(), message(phone, strings.Repeat("long ", 80)))
		requireNotSent(t, err)
		require.Equal(t, sms.Sent, receipt.Parts[0].Outcome)
		for _, fake := range fakes {
			fake.ClearFaults()
		}
		again, err := bank.Send(t.Context(), message(phone, "again"))
		require.NoError(t, err)
		require.Equal(t, receipt.Modem, again.Modem)
	})
}

// Who writes to one modem while another one tries in vain to send him a message gets
// his answer from the one that he wrote to.
func TestBankRecipientWritesMeanwhile(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		bank, fakes := openBank(t, network, &session.BankConfig{Attempts: 1}, 2)
		fit(t, bank, 2)
		receive(t, bank, newDesk())
		phone := network.Phone("+15555550199")
		first, err := bank.Send(t.Context(), message(phone, "whose number is this"))
		require.NoError(t, err)
		this, other := fakes[first.Modem[0]-'a'], fakes['b'-first.Modem[0]]
		this.Inject(fakemodem.Fault{ID: "F22", On: "+CMGS", Delay: 30 * time.Second})
		this.Inject(fakemodem.Fault{ID: "F33", Code: 50})
		vain := sendAll(bank, phone, 1)
		require.NoError(t, phone.Send(other.Number(), "to the other one"))
		vain.Wait()
		require.Equal(t, 1, statusOf(t, bank, first.Modem).NotSent)
		answer, err := bank.Send(t.Context(), message(phone, "answer"))
		require.NoError(t, err)
		require.NotEqual(t, first.Modem, answer.Modem)
	})
}

// A modem that has sent a message again stands behind nobody any more.
func TestBankForgivesAModemThatSends(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		bank, fakes := openBank(t, network, nil, 2)
		fit(t, bank, 2)
		phones := func(i int) *fakemodem.Phone { return network.Phone(fmt.Sprintf("+155555504%02d", i)) }
		byModem := make(map[string]*fakemodem.Phone)
		for i := range 2 {
			receipt, err := bank.Send(t.Context(), message(phones(i), "whose number is this"))
			require.NoError(t, err)
			byModem[receipt.Modem] = phones(i)
		}
		fakes[0].Inject(fakemodem.Fault{ID: "F33", Code: 50})
		_, err := bank.Send(t.Context(), message(phones(2), "somebody new")) // it is a's turn
		require.NoError(t, err)
		require.Equal(t, 1, statusOf(t, bank, "a").NotSent)
		_, err = bank.Send(t.Context(), message(byModem["a"], "a's own"))
		require.NoError(t, err)
		used := make(map[string]bool)
		for i := range 2 {
			receipt, err := bank.Send(t.Context(), message(phones(10+i), "new"))
			require.NoError(t, err)
			used[receipt.Modem] = true
		}
		require.Len(t, used, 2)
	})
}

// A receipt names no modem that was gone before it saw the message.
func TestBankReceiptNamesNobodyWhoWasNotAsked(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		bank, fakes := openBank(t, network, &session.BankConfig{Patience: time.Minute}, 1)
		fit(t, bank, 1)
		fakes[0].Inject(fakemodem.Fault{ID: "F22", On: "+CMGS", Delay: 20 * time.Second})
		ahead := sendAll(bank, network.Phone("+15555550100"), 1)
		fakes[0].Inject(fakemodem.Fault{ID: "F97", In: 5 * time.Second})
		receipt, err := bank.Send(t.Context(), message(network.Phone("+15555550199"), "behind"))
		requireNotSent(t, err)
		var unsent *session.UnsentError
		require.ErrorAs(t, err, &unsent)
		require.Empty(t, unsent.Tried)
		require.Empty(t, receipt.Modem)
		ahead.Wait()
	})
}

// Who has written gets his answer from the number that he wrote to.
func TestBankAnswersByTheModemThatWasWrittenTo(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		bank, fakes := openBank(t, network, nil, 3)
		fit(t, bank, 3)
		phone := network.Phone("+15555550199")
		receipt, err := bank.Send(t.Context(), message(phone, "from somewhere"))
		require.NoError(t, err)
		asked := fakes[(receipt.Modem[0]-'a'+1)%3]
		answered := make(chan error, 1)
		ctx, cancel := context.WithCancel(t.Context())
		var receiving sync.WaitGroup
		receiving.Go(func() {
			bank.Receive(ctx, func(ctx context.Context, modem string, in sms.Incoming) error {
				_, err := bank.Send(ctx, sms.Message{To: in.From, Text: "answer by " + modem})
				answered <- err
				return err
			})
		})
		time.Sleep(time.Second)
		require.NoError(t, phone.Send(asked.Number(), "question"))
		require.NoError(t, <-answered)
		cancel()
		receiving.Wait()
		inbox := phone.Inbox()
		require.Equal(t, asked.Number(), inbox[len(inbox)-1].From)
	})
}

// Who can send nothing says why, when ctx or the patience ends.
func TestBankWithoutAFitModem(t *testing.T) {
	for name, c := range map[string]struct {
		patience, ctx, want time.Duration
	}{
		"the default":  {0, time.Hour, 2 * time.Minute},
		"a patience":   {30 * time.Second, time.Hour, 30 * time.Second},
		"none":         {-1, time.Hour, 0},
		"the context":  {0, 5 * time.Second, 5 * time.Second},
		"ended before": {0, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			inTime(t, func(t *testing.T, network *fakemodem.Network) {
				network.SetCoverage(fakemodem.NoCoverage)
				bank, _ := openBank(t, network, &session.BankConfig{Patience: c.patience}, 2)
				time.Sleep(time.Minute)
				ctx, cancel := context.WithTimeout(t.Context(), c.ctx)
				defer cancel()
				began := time.Now()
				_, err := bank.Send(ctx, message(network.Phone("+15555550199"), "hello"))
				require.Equal(t, c.want, time.Since(began))
				requireNotSent(t, err)
				if ctx.Err() != nil {
					require.ErrorIs(t, err, context.DeadlineExceeded)
				}
				if c.ctx > 0 {
					require.ErrorIs(t, err, session.ErrNoFitModem)
					require.ErrorContains(t, err, "2 registration: ")
				}
			})
		})
	}
}

// A message waits for the first modem that becomes fit, no longer.
func TestBankSendWaitsForAModem(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		bank, fakes := openBank(t, network, nil, 2)
		fit(t, bank, 2)
		for _, fake := range fakes {
			fake.Inject(fakemodem.Fault{ID: "F95", Delay: 20 * time.Second})
		}
		time.Sleep(time.Second)
		phone := network.Phone("+15555550199")
		_, err := bank.Send(t.Context(), message(phone, "patience"))
		require.NoError(t, err)
		require.Len(t, phone.Inbox(), 1)
	})
}

// A message that waits behind another one on a modem that goes away is sent by
// the next at once: of it nothing was written.
func TestBankGivesUpATurnOnALostModem(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		bank, fakes := openBank(t, network, nil, 2)
		fit(t, bank, 2)
		phone := network.Phone("+15555550199")
		receipt, err := bank.Send(t.Context(), message(phone, "whose number is this"))
		require.NoError(t, err)
		fake := fakes[receipt.Modem[0]-'a']
		fake.Inject(fakemodem.Fault{ID: "F22", On: "+CMGS", Delay: 20 * time.Second})
		s, ok := bank.Session(receipt.Modem)
		require.True(t, ok)
		var ahead sync.WaitGroup
		ahead.Go(func() { // will be in doubt, and wait half a minute for a late answer
			_, err := s.SMS().Send(t.Context(), message(phone, "ahead"))
			requireInDoubt(t, err)
		})
		time.Sleep(5 * time.Second)
		var unplugged time.Time
		time.AfterFunc(5*time.Second, func() {
			unplugged = time.Now()
			fake.Inject(fakemodem.Fault{ID: "F97"})
		})
		second, err := bank.Send(t.Context(), message(phone, "behind"))
		require.NoError(t, err)
		require.NotEqual(t, receipt.Modem, second.Modem)
		require.Less(t, time.Since(unplugged), 10*time.Second)
		require.Zero(t, statusOf(t, bank, receipt.Modem).NotSent, "it was not asked")
		ahead.Wait()
	})
}

// A modem that is deaf without knowing it yet: the next one sends.
func TestBankSendsByAnotherThanADeafModem(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		bank, fakes := openBank(t, network, nil, 2)
		fit(t, bank, 2)
		phone := network.Phone("+15555550199")
		receipt, err := bank.Send(t.Context(), message(phone, "whose number is this"))
		require.NoError(t, err)
		fakes[receipt.Modem[0]-'a'].Inject(fakemodem.Fault{ID: "F99"})
		second, err := bank.Send(t.Context(), message(phone, "still heard"))
		require.NoError(t, err)
		require.NotEqual(t, receipt.Modem, second.Modem)
		require.Len(t, phone.Inbox(), 2)
	})
}

// While a data call has the line of one modem, the other one sends.
func TestBankKeepsAwayFromADataCall(t *testing.T) {
	t.Parallel()
	network := newNetwork(t)
	bank, _ := openBank(t, network, nil, 2)
	phone := network.Phone("+15555550199")
	receipt, err := bank.Send(t.Context(), message(phone, "whose number is this"))
	require.NoError(t, err)
	s, _ := bank.Session(receipt.Modem)
	_, err = s.Connect(t.Context())
	require.NoError(t, err)
	require.Equal(t, "a data call has the line", statusOf(t, bank, receipt.Modem).Unfit)
	second, err := bank.Send(t.Context(), message(phone, "by the other"))
	require.NoError(t, err)
	require.NotEqual(t, receipt.Modem, second.Modem)
	require.Zero(t, statusOf(t, bank, receipt.Modem).NotSent)
}

// A message that waits behind another one on the only modem is sent by it when
// it is back.
func TestBankSendsWhenItsOnlyModemIsBack(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		bank, fakes := openBank(t, network, nil, 1)
		fit(t, bank, 1)
		phone := network.Phone("+15555550199")
		fakes[0].Inject(fakemodem.Fault{ID: "F22", On: "+CMGS", Delay: 20 * time.Second})
		var ahead sync.WaitGroup
		ahead.Go(func() {
			_, err := bank.Send(t.Context(), message(phone, "ahead"))
			requireInDoubt(t, err)
		})
		time.Sleep(5 * time.Second)
		fakes[0].Inject(fakemodem.Fault{ID: "F95", In: 5 * time.Second, Delay: 20 * time.Second}) // no late answer comes through
		_, err := bank.Send(t.Context(), message(network.Phone("+15555550100"), "behind"))
		require.NoError(t, err)
		ahead.Wait()
		require.Equal(t, 1, statusOf(t, bank, "a").Sent)
	})
}

// What a modem has it may end, though nobody else may use it just now: here it
// asks for its PIN again.
func TestBankWaitsForWhatItsModemHas(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		bank, fakes := openBank(t, network, nil, 1)
		fit(t, bank, 1)
		fakes[0].Inject(fakemodem.Fault{ID: "F22", On: "+CMGS", Delay: 8 * time.Second})
		time.AfterFunc(7*time.Second, func() { fakes[0].Emit("+CPIN: SIM PIN") })
		_, err := bank.Send(t.Context(), message(network.Phone("+15555550199"), "slow"))
		require.NoError(t, err)
		require.NotZero(t, statusOf(t, bank, "a").Rungs[session.RungSetup], "it was being set up meanwhile")
	})
}

// A modem that goes between two parts of a long message: that is told at once,
// and what was sent.
func TestBankTellsOfALongMessageThatWasCutShort(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		bank, fakes := openBank(t, network, nil, 1)
		fit(t, bank, 1)
		fakes[0].Inject(fakemodem.Fault{ID: "F22", On: "+CMGS", Delay: 6 * time.Second, Times: 1})
		fakes[0].Inject(fakemodem.Fault{ID: "F33", Code: 500, Times: -1, In: 5 * time.Second})
		fakes[0].Watch(func(tr fakemodem.Trace) {
			if strings.Contains(string(tr.Data), "+CMS ERROR: 500") { // a pause before the next try follows
				time.AfterFunc(time.Second, func() { fakes[0].Inject(fakemodem.Fault{ID: "F97"}) })
			}
		})
		began := time.Now()
		receipt, err := bank.Send(t.Context(), message(network.Phone("+15555550199"), strings.Repeat("long ", 80)))
		requireNotSent(t, err)
		require.Less(t, time.Since(began), 30*time.Second, "it does not wait for that modem")
		require.Equal(t, sms.Sent, receipt.Parts[0].Outcome)
		require.Equal(t, sms.NotSent, receipt.Parts[1].Outcome)
		require.Equal(t, 1, statusOf(t, bank, "a").NotSent)
	})
}

// New recipients go to who has the least to do.
func TestBankPrefersWhoHasLeastToDo(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		bank, fakes := openBank(t, network, nil, 2)
		fit(t, bank, 2)
		for _, fake := range fakes { // whoever gets the first one is busy with it
			fake.Inject(fakemodem.Fault{ID: "F22", On: "+CMGS", Delay: 30 * time.Second})
		}
		var slow sync.WaitGroup
		slow.Go(func() {
			_, err := bank.Send(t.Context(), message(network.Phone("+15555550199"), "slow"))
			require.NoError(t, err)
		})
		time.Sleep(time.Second)
		busy := ""
		for i, m := range bank.Status() {
			if m.Outstanding == 1 {
				busy = m.Modem
			} else {
				fakes[i].ClearFaults()
			}
		}
		for i := range 4 {
			receipt, err := bank.Send(t.Context(), message(network.Phone(fmt.Sprintf("+155555503%02d", i)), "quick"))
			require.NoError(t, err)
			require.NotEqual(t, busy, receipt.Modem)
		}
		slow.Wait()
	})
}
