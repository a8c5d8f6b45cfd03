package sms_test

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/sms"
)

// childVariable makes a child process of the test binary, which uses a fake
// modem of its parent until it is killed (SIGKILL): role:folder.
const childVariable = "TELEMODEM_CHILD"

func TestMain(m *testing.M) {
	if role, dir, ok := strings.Cut(os.Getenv(childVariable), ":"); ok {
		if err := child(role, dir); err != nil {
			fmt.Println("failed", err)
			os.Exit(1)
		}
		return
	}
	// Tests that run side by side mostly wait for other programs and for disks.
	flag.Parse()
	if flag.Set("test.parallel", strconv.Itoa(max(sideBySide, runtime.GOMAXPROCS(0)))) != nil {
		os.Exit(1)
	}
	verifyNoLeaks(m)
}

const sideBySide = 6

// fillRole is the role of a child that fills its disk, where that can be done.
const fillRole = "fill"

var fill func(store *sms.BoltStore, path string) error

func child(role, dir string) error {
	store, err := sms.OpenStore(filepath.Join(dir, "sms.db"))
	if err != nil {
		return err
	}
	if role == fillRole {
		return fill(store, filepath.Join(dir, "sms.db"))
	}
	line, err := net.Dial("unix", filepath.Join(dir, "modem"))
	if err != nil {
		return err
	}
	modem := at.New(line, &at.Config{Quiet: time.Millisecond})
	if err := modem.Resync(context.Background()); err != nil { // the one before may have been killed behind a prompt
		return err
	}
	// On a slow machine many a child is killed before its fault strikes, and the last one meets them all.
	service := sms.New(modem, &sms.Config{Store: store, RetryPauses: []time.Duration{50 * time.Millisecond}})
	if role == "receive" {
		log, err := os.OpenFile(filepath.Join(dir, "received"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		return service.Receive(context.Background(), func(_ context.Context, in sms.Incoming) error {
			_, err := fmt.Fprintf(log, "%s %s\n", in.ID, in.Text)
			fmt.Println("received")
			return err
		})
	}
	outbox, err := sms.NewOutbox(service, store, &sms.OutboxConfig{RetryPause: 100 * time.Millisecond})
	if err != nil {
		return err
	}
	for i := range 3 {
		text := fmt.Sprintf("%s/%d %s", os.Getenv(childVariable+"_RUN"), i, strings.Repeat("long ", i*40))
		if _, err := outbox.Enqueue(sms.OutMessage{Message: sms.Message{To: "+15555550123", Text: text}}); err != nil {
			return err
		}
		fmt.Println("queued", text)
	}
	return outbox.Run(context.Background(), func(_ context.Context, r sms.OutboxResult) error {
		fmt.Println("result", r.Outcome, "|", r.Message.Text)
		if outbox.Len() == 1 {
			fmt.Println("drained")
		}
		return nil
	})
}

// runChild runs a child for a time, or until it says enough, and then kills it.
func runChild(t *testing.T, role, dir string, run int, limit time.Duration, line func(string) (enough bool)) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"="+role+":"+dir, fmt.Sprintf("%s_RUN=%d", childVariable, run))
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	timer := time.AfterFunc(limit, func() { cmd.Process.Kill() })
	defer timer.Stop()
	for lines := bufio.NewScanner(out); lines.Scan(); {
		require.NotContains(t, lines.Text(), "failed")
		if line(lines.Text()) {
			cmd.Process.Kill()
		}
	}
	_ = cmd.Wait() // killed
}

// kills is how often each side is killed.
const kills = 50

func killBench(t *testing.T) (dir string, network *fakemodem.Network, fake *fakemodem.Modem, phone *fakemodem.Phone) {
	dir, err := os.MkdirTemp("", "sms") // short enough for the name of a socket
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	network = fakemodem.NewNetwork(nil)
	t.Cleanup(func() { network.Close() })
	fake = network.NewModem(fakemodem.SIM800)
	require.NoError(t, fake.ListenUnix(filepath.Join(dir, "modem")))
	return dir, network, fake, network.Phone("+15555550123")
}

// killings are how programs are killed: often, and more rarely while the modem
// has faults, of which one more is injected before each run.
var killings = []struct {
	name   string
	kills  int
	faults []fakemodem.Fault
}{
	{"without faults", kills, nil},
	{"among faults", kills / 4, []fakemodem.Fault{
		{ID: "F33", Code: 38, Times: 1}, {ID: "F33", Code: 322, Times: 1}, {ID: "F22", On: "+CMGS", Times: 1, Delay: 100 * time.Millisecond},
		{ID: "F44"}, {ID: "F45", Times: 1}, {ID: "F46", Times: 1}, {ID: "F48", Times: 1}, {ID: "F54", Times: 3},
	}},
}

// disturb injects one of some faults.
func disturb(t *testing.T, fake *fakemodem.Modem, random *rand.Rand, faults []fakemodem.Fault) {
	if len(faults) > 0 {
		_, err := fake.Inject(faults[random.IntN(len(faults))])
		require.NoError(t, err)
	}
}

// The outbox of a program that is killed at random moments sends each message
// once, or says that it does not know.
func TestOutboxSurvivesSIGKILL(t *testing.T) {
	for seed, k := range killings {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			outboxSurvives(t, k.kills, k.faults, rand.New(rand.NewPCG(uint64(seed), 79)))
		})
	}
}

func outboxSurvives(t *testing.T, kills int, faults []fakemodem.Fault, random *rand.Rand) {
	dir, _, fake, phone := killBench(t)
	queued, results := make(map[string]bool), make(map[string]string)
	note := func(line string) bool {
		switch kind, rest, _ := strings.Cut(line, " "); kind {
		case "queued":
			queued[rest] = true
		case "result":
			outcome, text, _ := strings.Cut(rest, " | ")
			if before, known := results[text]; known && before != outcome {
				t.Errorf("%q was %s and is %s now", text, before, outcome)
			}
			results[text] = outcome
		case "drained":
			return true
		}
		return false
	}
	for run := range kills {
		disturb(t, fake, random, faults)
		runChild(t, "send", dir, run, time.Duration(5+random.IntN(45))*time.Millisecond, func(s string) bool { note(s); return false })
	}
	runChild(t, "send", dir, kills, 30*time.Second, note)
	delivered := make(map[string]int)
	for _, m := range phone.Inbox() {
		delivered[m.Text]++
	}
	doubts := 0
	for text := range queued {
		switch results[text] {
		case "sent":
			require.Equal(t, 1, delivered[text], text)
		case "in doubt":
			doubts++
			require.LessOrEqual(t, delivered[text], 1, text)
		default:
			require.Fail(t, "no word of a message", text)
		}
	}
	t.Logf("%d messages, %d in doubt", len(queued), doubts)
	require.NotEmpty(t, queued)
}

// A receiver that is killed at random moments gets every message, and knows
// those again that it has seen.
func TestReceiveSurvivesSIGKILL(t *testing.T) {
	for seed, k := range killings {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			receiveSurvives(t, k.kills, k.faults, rand.New(rand.NewPCG(uint64(seed), 80)))
		})
	}
}

func receiveSurvives(t *testing.T, kills int, faults []fakemodem.Fault, random *rand.Rand) {
	dir, network, fake, phone := killBench(t)
	sent := make(map[string]bool)
	for run := range kills {
		text := fmt.Sprintf("%d %s", run, strings.Repeat("long ", run%3*40))
		sent[text] = true
		require.NoError(t, phone.Send(fake.Number(), text))
		disturb(t, fake, random, faults)
		runChild(t, "receive", dir, run, time.Duration(5+random.IntN(45))*time.Millisecond, func(string) bool { return false })
	}
	last := "the last one"
	sent[last] = true
	time.AfterFunc(200*time.Millisecond, func() { phone.Send(fake.Number(), last) })
	var log []byte
	runChild(t, "receive", dir, kills, 30*time.Second, func(string) bool {
		var err error
		log, err = os.ReadFile(filepath.Join(dir, "received"))
		require.NoError(t, err)
		for text := range sent {
			if !strings.Contains(string(log), " "+text+"\n") {
				return false
			}
		}
		return true
	})
	ids, again := make(map[string]string), 0
	for _, line := range strings.Split(strings.TrimSuffix(string(log), "\n"), "\n") {
		id, text, _ := strings.Cut(line, " ")
		if before, known := ids[id]; known {
			again++
			require.Equal(t, before, text)
			continue
		}
		ids[id] = text
		require.True(t, sent[text], "unknown or twice: %q", text)
		delete(sent, text)
	}
	require.Empty(t, sent)
	require.Zero(t, network.SMSC().Stats().Waiting)
	t.Logf("%d messages, %d of them seen twice under one identity", len(ids), again)
}
