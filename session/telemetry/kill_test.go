package telemetry

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What the parent tells its children, in their environment.
const (
	killRole   = "TELEMETRY_KILL_ROLE" // sender, drain, receiver
	killFolder = "TELEMETRY_KILL_FOLDER"
	killKey    = "TELEMETRY_KILL_KEY"
	killLife   = "TELEMETRY_KILL_LIFE"
)

// kills is how often each side is killed.
const kills = 25

// TestKilledAtAnyMoment kills a sending and a receiving process 25 times each
// at random moments, both at work, and starts them again. In the end every
// reading that the sender was told is accepted has been handled once, in order;
// so has at most one more of each life, accepted as the process was killed.
func TestKilledAtAnyMoment(t *testing.T) {
	dir, err := os.MkdirTemp("", "kill") // a short name, for the socket's sake
	require.NoError(t, err)
	defer os.RemoveAll(dir)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	k := &killer{t: t, dir: dir, key: NewKey()}

	var sides sync.WaitGroup
	for i, role := range []string{"sender", "receiver"} {
		random := rand.New(rand.NewPCG(seed, uint64(i)))
		sides.Go(func() {
			for life := range kills {
				k.live(role, life, time.Duration(random.IntN(120_000))*time.Microsecond)
			}
		})
	}
	sides.Wait()
	require.False(t, t.Failed())

	receiver := k.start("receiver", kills)
	drain := k.start("drain", kills)
	require.NoError(t, drain.cmd.Wait(), "everything is acknowledged in the end")
	receiver.stdin.Close()
	require.NoError(t, receiver.cmd.Wait())
	k.check()
}

// killer keeps the books about both children.
type killer struct {
	t   *testing.T
	dir string
	key Key

	mu       sync.Mutex
	accepted [kills]int // readings that each life of the sender was told of
}

type child struct {
	cmd   *exec.Cmd
	stdin io.Closer
	out   *bufio.Scanner
}

func (k *killer) start(role string, life int) *child {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), killRole+"="+role, killFolder+"="+k.dir,
		killKey+"="+k.key.Encode(), killLife+"="+strconv.Itoa(life))
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		k.t.Error(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		k.t.Error(err)
	}
	if err := cmd.Start(); err != nil {
		k.t.Error(err)
	}
	return &child{cmd, stdin, bufio.NewScanner(stdout)}
}

// live runs one life of a child, which ends so long after it is ready.
func (k *killer) live(role string, life int, after time.Duration) {
	c := k.start(role, life)
	if !c.out.Scan() || c.out.Text() != "ready" {
		k.t.Errorf("%s, life %d: %q instead of ready", role, life, c.out.Text())
	}
	timer := time.AfterFunc(after, func() { c.cmd.Process.Kill() })
	defer timer.Stop()
	n := 0
	for c.out.Scan() {
		var of int
		if _, err := fmt.Sscanf(c.out.Text(), "accepted %d of %d", &n, &of); err != nil || of != life {
			break // the last line may be torn
		}
	}
	_ = c.cmd.Wait() // killed
	if role == "sender" {
		k.mu.Lock()
		k.accepted[life] = n
		k.mu.Unlock()
	}
}

// check reads what the handler wrote in the receiver's store.
func (k *killer) check() {
	store, err := OpenStore(filepath.Join(k.dir, "receiver.db"))
	require.NoError(k.t, err)
	defer store.Close()
	var handled [kills]int
	total := 0
	require.NoError(k.t, store.View(func(tx Tx) error {
		var order []string
		u := userTx{tx}
		u.Scan([]byte("order/"), nil, func(_, v []byte) bool {
			order = append(order, string(v))
			return true
		})
		for _, text := range order {
			var life, n int
			_, err := fmt.Sscanf(text, "life %d reading %d", &life, &n)
			require.NoError(k.t, err)
			require.Equal(k.t, handled[life]+1, n, "life %d: lost, doubled or out of order", life)
			handled[life] = n
			require.Equal(k.t, []byte{1}, u.Get([]byte("count/"+text)), "handled twice: %s", text)
		}
		total = len(order)
		return nil
	}))
	for life, n := range handled {
		require.GreaterOrEqual(k.t, n, k.accepted[life], "life %d: accepted and lost", life)
		require.LessOrEqual(k.t, n, k.accepted[life]+1, "life %d: from nowhere", life)
	}
	require.Greater(k.t, total, 2*kills)
	k.t.Logf("%d readings in %d lives", total, kills)
}

// runKilled is the whole program of a child.
func runKilled(role string) int {
	if err := killedChild(role); err != nil {
		fmt.Fprintln(os.Stderr, role+":", err)
		return 1
	}
	return 0
}

func killedChild(role string) error {
	dir := os.Getenv(killFolder)
	key, err := ParseKey(os.Getenv(killKey))
	if err != nil {
		return err
	}
	life, err := strconv.Atoi(os.Getenv(killLife))
	if err != nil {
		return err
	}
	name := strings.Replace(role, "drain", "sender", 1)
	store, err := OpenStore(filepath.Join(dir, name+".db"))
	if err != nil {
		return err
	}
	defer store.Close()
	socket := filepath.Join(dir, "socket")
	if role == "receiver" {
		return killedReceiver(store, key, socket)
	}
	return killedSender(store, key, socket, life, role == "drain")
}

func killedReceiver(store Store, key Key, socket string) error {
	e, err := Open(Config{Name: "receiver", Store: store, HandlerTx: countOnce})
	if err != nil {
		return err
	}
	defer e.Close()
	path := Path{Name: "data", Bearer: NewInbound(), Retry: 10 * time.Millisecond, RetryMax: 100 * time.Millisecond}
	if _, err := e.AddPeer(PeerConfig{Name: "sender", Key: key, Paths: []Path{path}}); err != nil {
		return err
	}
	_ = os.Remove(socket) // of the life before
	l, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	fmt.Println("ready")
	go func() { // until the parent closes our input
		io.Copy(io.Discard, os.Stdin)
		e.Close()
	}()
	if err := e.Serve(l); err != ErrClosed {
		return err
	}
	return nil
}

// countOnce writes down that the reading came, and when in the order.
func countOnce(tx Tx, m Message) error {
	count := append([]byte("count/"), m.Payload...)
	n := byte(1)
	if v := tx.Get(count); v != nil {
		n += v[0]
	}
	if err := tx.Put(count, []byte{n}); err != nil {
		return err
	}
	last, err := decodeUint64(tx.Get([]byte("last")))
	if err != nil {
		return err
	}
	index := binary.BigEndian.AppendUint64(nil, last+1)
	if err := tx.Put([]byte("last"), index); err != nil {
		return err
	}
	return tx.Put(append([]byte("order/"), index...), m.Payload)
}

func killedSender(store Store, key Key, socket string, life int, drain bool) error {
	e, err := Open(Config{Name: "sender", Store: store})
	if err != nil {
		return err
	}
	defer e.Close()
	dial := func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}
	p, err := e.AddPeer(PeerConfig{Name: "receiver", Key: key, Paths: []Path{{
		Name: "data", Bearer: Dial(dial),
		AckWait: 500 * time.Millisecond, Retry: 10 * time.Millisecond, RetryMax: 100 * time.Millisecond,
	}}})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if drain {
		for ctx.Err() == nil && p.Stats().Outstanding > 0 {
			time.Sleep(10 * time.Millisecond)
		}
		return ctx.Err()
	}
	fmt.Println("ready")
	for n := 1; ; n++ {
		if _, err := p.Send(ctx, fmt.Appendf(nil, "life %d reading %d", life, n)); err != nil {
			return err
		}
		fmt.Printf("accepted %d of %d\n", n, life)
	}
}
