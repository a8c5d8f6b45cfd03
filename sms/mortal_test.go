package sms_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/sms"
)

// mortal is the life of a program that is killed at one of its steps: before or
// behind a commit, a write to the line, a read from it, a call of a handler.
// Nothing that it does afterwards has an effect.
type mortal struct {
	mu    sync.Mutex
	steps int // left
	died  chan struct{}
	end   time.Time
}

func newMortal(steps int) *mortal { return &mortal{steps: steps, died: make(chan struct{})} }

var errKilled = errors.New("killed")

// step tells whether the program lives on.
func (m *mortal) step() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.steps--
	if m.steps == 0 {
		m.end = time.Now()
		close(m.died)
	}
	return m.steps > 0
}

// mortalStore is the store as a mortal program sees it.
type mortalStore struct {
	sms.Store
	*mortal
}

func (s mortalStore) Commit(changes []sms.Change) error {
	if !s.step() {
		return errKilled
	}
	err := s.Store.Commit(changes)
	if !s.step() {
		return errKilled
	}
	return err
}

// mortalLine is the line as a mortal program sees it.
type mortalLine struct {
	*fakemodem.Line
	*mortal
	torn bool // the last write is cut in the middle
}

func (l mortalLine) Read(p []byte) (int, error) {
	n, err := l.Line.Read(p)
	if !l.step() {
		return 0, io.EOF
	}
	return n, err
}

func (l mortalLine) Write(p []byte) (int, error) {
	if !l.step() {
		if l.torn {
			_, _ = l.Line.Write(p[:len(p)/2])
		}
		return 0, io.ErrClosedPipe
	}
	return l.Line.Write(p)
}

// deadly are the faults among which programs are killed: refusals, lost and late
// answers, full storages, lies about places and counts, repeats, modems that
// restart. None of them loses or mangles a message for good. Answers to a message
// come late when no other waits for its own, from which they cannot be told.
var deadly = append([]fakemodem.Fault{
	{ID: "F22", On: "+CMGS", Times: 2, Delay: 8 * time.Hour}, {ID: "F22", On: "+CMGR", Times: 1, Delay: time.Minute},
	{ID: "F33", Code: 21, Times: 1}, {ID: "F33", Code: 332, Times: 1},
}, combined...)

// world is what outlives the programs.
type world struct {
	*bench
	store  *memory
	random *rand.Rand
	cfg    sms.Config
	others []*fakemodem.Phone

	mu       sync.Mutex
	texts    int // to be sent
	queued   map[uint64]sms.Message
	results  map[uint64]sms.OutboxResult
	sent     map[string]bool               // texts to us
	handled  map[string]handled            // by ID
	received map[string]string             // ID: text
	reports  map[[2]uint64]map[string]bool // message, part: IDs
	told     map[uint64]string             // message: to whom its reports say it went
	wrong    []string
}

func (w *world) complain(format string, args ...any) {
	w.wrong = append(w.wrong, fmt.Sprintf(format, args...))
}

// live runs a program until it is killed, or for a time.
func (w *world) live(t *testing.T, life *mortal, limit time.Duration) {
	line := mortalLine{w.fake.Line(), life, w.random.IntN(2) == 0}
	modem := at.New(line, nil)
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	go func() {
		select {
		case <-life.died:
			line.Line.Close()
			cancel()
		case <-ctx.Done():
		}
	}()
	cfg := w.cfg
	cfg.Store = mortalStore{w.store, life}
	_ = modem.Resync(ctx) // the one before may have been killed behind a prompt
	service := sms.New(modem, &cfg)
	var both sync.WaitGroup
	both.Go(func() {
		_ = service.Receive(ctx, func(_ context.Context, in sms.Incoming) error { return w.take(life, in) })
	})
	both.Go(func() { w.sendSome(ctx, life, service, cfg.Store) })
	both.Wait()
	modem.Close()
	life.finish()
}

// finish ends the life of a program that was not killed.
func (m *mortal) finish() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.end.IsZero() {
		m.end = time.Now()
	}
}

// handled is when a program has handled a message.
type handled struct {
	by *mortal
	at time.Time
}

// again tells whether a message may come again: the program that handled it was
// killed right behind that.
func (h handled) again(now *mortal) bool {
	return h.by != now && h.by.end.Sub(h.at) < time.Second
}

// sendSome is what the program does with its outbox.
func (w *world) sendSome(ctx context.Context, life *mortal, service *sms.Service, store sms.Store) {
	o, err := sms.NewOutbox(service, store, &sms.OutboxConfig{Lifetime: 24 * time.Hour})
	if err != nil {
		return
	}
	for range w.random.IntN(3) {
		w.mu.Lock()
		n := w.texts
		w.texts++
		to := w.others[n%len(w.others)]
		m := sms.Message{To: to.Number(), Text: fmt.Sprintf("out %d", n), StatusReport: n%4 > 0}
		if n%3 == 1 && !w.cfg.Quirks.TextMode {
			m.Text += strings.Repeat(" long", 40*(n%2+1))
		}
		w.mu.Unlock()
		id, err := o.Enqueue(sms.OutMessage{Message: m})
		if err != nil {
			return
		}
		w.mu.Lock()
		w.queued[id] = m
		w.mu.Unlock()
	}
	_ = o.Run(ctx, func(_ context.Context, r sms.OutboxResult) error {
		if !life.step() {
			return errKilled
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		if before, known := w.results[r.ID]; known && before.Outcome != r.Outcome {
			w.complain("%d was %v and is %v", r.ID, before.Outcome, r.Outcome)
		}
		w.results[r.ID] = r
		if !life.step() {
			return errKilled
		}
		return nil
	})
}

// take is the handler.
func (w *world) take(life *mortal, in sms.Incoming) error {
	if !life.step() {
		return errKilled
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case in.Err != nil:
		w.complain("damaged: %v", in.Err)
	case in.Report != nil:
		w.takeReport(in)
	case in.Text != "full": // F43 fills the storage
		if before, known := w.received[in.ID]; known && before != in.Text {
			w.complain("%q and %q are one", before, in.Text)
		}
		w.received[in.ID] = in.Text
	}
	if before, known := w.handled[in.ID]; known && !before.again(life) {
		w.complain("%q again, %v after it was handled", in.Text, time.Since(before.at))
	}
	if !life.step() {
		return errKilled
	}
	w.handled[in.ID] = handled{life, time.Now()}
	return nil
}

func (w *world) takeReport(in sms.Incoming) {
	if before, known := w.told[in.Report.Message]; known && before != in.Report.To || in.Report.Part == 0 {
		w.complain("a report of %d to %s, part %d", in.Report.Message, in.Report.To, in.Report.Part)
		return
	}
	w.told[in.Report.Message] = in.Report.To
	key := [2]uint64{in.Report.Message, uint64(in.Report.Part)}
	if w.reports[key] == nil {
		w.reports[key] = make(map[string]bool)
	}
	w.reports[key][in.ID] = true
}

// Promises 4 and 5 under kills and faults together: a program is killed again
// and again at random steps while the modem misbehaves. What is told as sent
// arrives once, what is not does not, what is in doubt at most once; every
// message to us is received under one identity; every report finds its message,
// once. TELEMODEM_LONG=1 runs more seeds.
func TestKilledAmongFaults(t *testing.T) {
	seeds := 14
	if os.Getenv("TELEMODEM_LONG") != "" {
		seeds = 1000
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			bubble(t, func(t *testing.T) { killAmongFaults(t, rand.New(rand.NewPCG(uint64(seed), 78))) })
		})
	}
}

func killAmongFaults(t *testing.T, random *rand.Rand) {
	w := &world{
		bench: benchOn(t, []*fakemodem.Personality{fakemodem.SIM800, fakemodem.EC25}[random.IntN(2)], nil),
		store: newMemory(), random: random,
		queued: make(map[uint64]sms.Message), results: make(map[uint64]sms.OutboxResult), sent: make(map[string]bool),
		received: make(map[string]string), reports: make(map[[2]uint64]map[string]bool), told: make(map[uint64]string), handled: make(map[string]handled),
	}
	w.modem.Close()
	w.cfg = sms.Config{SilenceLimit: 2 * time.Hour, SendTimeout: time.Minute}
	w.cfg.Quirks.Direct = random.IntN(2) == 0
	w.cfg.Quirks.TextMode = random.IntN(4) == 0
	for i := range 3 {
		w.others = append(w.others, w.network.Phone(fmt.Sprintf("+1555555020%d", i)))
	}
	var clears []func()
	for run := range 10 {
		if run%4 == 1 {
			fault := deadly[random.IntN(len(deadly))]
			clear, err := w.fake.Inject(fault)
			require.NoError(t, err)
			t.Logf("%s %s %d", fault.ID, fault.On, fault.Code)
			clears = append(clears, clear)
		}
		text := fmt.Sprintf("in %d", run)
		if !w.cfg.Quirks.TextMode {
			text += strings.Repeat(" long", run%3*40)
		}
		w.sent[text] = true
		require.NoError(t, w.phone.Send(w.fake.Number(), text))
		if random.IntN(6) == 0 {
			time.AfterFunc(time.Duration(random.IntN(20_000))*time.Millisecond, w.fake.Reset)
		}
		w.live(t, newMortal(1+random.IntN(1<<(3+random.IntN(8)))), 10*time.Minute)
		time.Sleep(time.Duration(random.IntN(30_000)) * time.Millisecond)
	}
	for _, clear := range clears {
		clear()
	}
	time.Sleep(30 * time.Minute)
	w.live(t, newMortal(1<<30), 26*time.Hour)
	synctest.Wait()
	w.verify(t)
}

func (w *world) verify(t *testing.T) {
	require.Empty(t, w.wrong)
	for _, text := range w.received {
		require.True(t, w.sent[text], "unknown or twice: %q", text)
		delete(w.sent, text)
	}
	require.Empty(t, w.sent, "lost")
	delivered := make(map[string]int)
	for _, p := range w.others {
		for _, m := range p.Inbox() {
			delivered[m.Text]++
		}
	}
	for id, m := range w.queued {
		r, told := w.results[id]
		require.True(t, told, "no word of %d", id)
		n := delivered[m.Text]
		delete(delivered, m.Text)
		switch r.Outcome {
		case sms.Sent:
			require.Equal(t, 1, n, m.Text)
		case sms.InDoubt:
			require.LessOrEqual(t, n, 1, m.Text)
		default:
			require.Zero(t, n, m.Text)
		}
	}
	for text, n := range delivered { // queued by programs that were killed before they knew
		require.Equal(t, 1, n, text)
	}
	for id, to := range w.told {
		require.Equal(t, w.results[id].Message.To, to, "reports of %d", id)
	}
	for key, ids := range w.reports {
		require.Len(t, ids, 1, "reports of %v", key)
	}
}
