package ppp

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// bench is a layer that writes down what the automaton does.
type bench struct{ log []string }

func (b *bench) send(_ protocol, p packet) {
	names := map[code]string{1: "CR", 2: "CA", 3: "CN", 4: "CJ", 5: "TR", 6: "TA", 7: "RJ", 10: "ER"}
	b.log = append(b.log, names[p.code])
}
func (b *bench) layerUp(*automaton, time.Time)       { b.log = append(b.log, "up") }
func (b *bench) layerDown(*automaton, time.Time)     { b.log = append(b.log, "down") }
func (b *bench) layerFinished(*automaton, time.Time) { b.log = append(b.log, "finished") }

func (b *bench) did() string {
	s := strings.Join(b.log, " ")
	b.log = nil
	return s
}

func newBench(n negotiator) (*automaton, *bench) {
	b := &bench{}
	a := &automaton{}
	a.init(protocolIPCP, b, n, limits{3 * time.Second, 10, 2, 5})
	now := time.Unix(0, 0)
	a.handle(now, eventOpen)
	a.handle(now, eventUp)
	return a, b
}

// anything is a negotiator that asks for nothing and grants everything.
type anything struct{}

func (anything) request(b []byte) []byte  { return append(b, 3, 6, 1, 2, 3, 4) }
func (anything) nak([]option)             {}
func (anything) reject([]option)          {}
func (anything) judge([]option, *verdict) {}

func TestRestartTimerAndCounters(t *testing.T) {
	a, b := newBench(anything{})
	at := time.Unix(0, 0)
	require.Equal(t, "CR", b.did())
	for range 9 { // Max-Configure counts the first
		require.Equal(t, at.Add(3*time.Second), a.deadline)
		at = a.deadline
		a.tick(at.Add(-1))
		require.Empty(t, b.did(), "not before its time")
		a.tick(at)
		require.Equal(t, "CR", b.did())
		require.EqualValues(t, 1, a.requestID, "the same request again")
	}
	a.tick(a.deadline)
	require.Equal(t, "finished", b.did())
	require.Equal(t, stateStopped, a.state)
	require.Zero(t, a.deadline)
	a.receive(at, packet{codeConfigureRequest, 7, nil})
	require.Equal(t, "CR CA", b.did(), "a peer that comes late is answered")
	require.Equal(t, stateAckSent, a.state)
}

func TestTerminateCounter(t *testing.T) {
	a, b := newBench(anything{})
	a.handle(time.Unix(0, 0), eventClose)
	a.tick(a.deadline)
	a.tick(a.deadline)
	require.Equal(t, "CR TR TR finished", b.did(), "Max-Terminate is 2")
	require.Equal(t, stateClosed, a.state)
}

// opened brings a to Opened.
func opened(t *testing.T, a *automaton, b *bench) {
	a.receive(time.Unix(0, 0), packet{codeConfigureRequest, 7, []byte{3, 6, 9, 9, 9, 9}})
	a.receive(time.Unix(0, 0), packet{codeConfigureAck, a.requestID, a.asked})
	require.Equal(t, stateOpened, a.state)
	b.did()
}

func TestCopiesDoNotTakeAnOpenLinkDown(t *testing.T) {
	now := time.Unix(0, 0)
	a, b := newBench(anything{})
	opened(t, a, b)
	a.receive(now, packet{codeConfigureAck, a.requestID, a.asked})
	require.Empty(t, b.did(), "a second Ack is a copy")
	request := packet{codeConfigureRequest, 7, []byte{3, 6, 9, 9, 9, 9}}
	a.receive(now, request)
	a.receive(now, request)
	require.Equal(t, "CA CA", b.did(), "our Ack was lost, twice")
	a.receive(now, request)
	require.Equal(t, "down CR CA", b.did(), "the peer insists")
	opened(t, a, b)
	a.receive(now, packet{codeConfigureRequest, 8, []byte{3, 6, 9, 9, 9, 9}})
	require.Equal(t, "down CR CA", b.did(), "a new request begins anew")
}

func TestAnswersToOtherRequestsAreDiscarded(t *testing.T) {
	now := time.Unix(0, 0)
	a, b := newBench(anything{})
	b.did()
	for _, c := range []code{codeConfigureAck, codeConfigureNak, codeConfigureReject} {
		a.receive(now, packet{c, a.requestID + 1, a.asked})
	}
	a.receive(now, packet{codeConfigureAck, a.requestID, []byte{3, 6, 1, 2, 3, 5}})
	require.Empty(t, b.did())
	require.Equal(t, stateReqSent, a.state)
}

func TestF69EndlessNaksAreCounted(t *testing.T) {
	a, b := newBench(anything{})
	at := time.Unix(0, 0)
	requests := 1
	b.did()
	for a.state != stateStopped {
		for range 100 {
			a.receive(at, packet{codeConfigureNak, a.requestID, []byte{3, 6, 0, 0, 0, 0}})
		}
		requests += strings.Count(b.did(), "CR")
		at = a.deadline
		a.tick(at)
		requests += strings.Count(b.did(), "CR")
		require.Less(t, requests, 20)
	}
	require.Equal(t, 5+10, requests, "Max-Failure at once, Max-Configure by the timer")
	require.Equal(t, 30*time.Second, at.Sub(time.Unix(0, 0)))
}

// stubborn naks everything.
type stubborn struct{ anything }

func (stubborn) judge(list []option, v *verdict) {
	for _, o := range list {
		v.nak(o.kind, o.data...)
	}
}

func TestNaksTurnIntoRejects(t *testing.T) {
	a, b := newBench(stubborn{})
	b.did()
	for id := range byte(7) {
		a.receive(time.Unix(0, 0), packet{codeConfigureRequest, id + 1, []byte{3, 6, 0, 0, 0, 0}})
	}
	require.Equal(t, "CN CN CN CN CN CJ CJ", b.did(), "Max-Failure is 5")
}

func TestCodeReject(t *testing.T) {
	now := time.Unix(0, 0)
	a, b := newBench(anything{})
	opened(t, a, b)
	a.receive(now, packet{99, 1, []byte("?")})
	require.Equal(t, "RJ", b.did(), "an unknown code")
	a.receive(now, packet{codeCodeReject, 1, []byte{byte(codeEchoRequest), 0, 0, 4}})
	require.Equal(t, stateOpened, a.state, "we can live without echo")
	a.receive(now, packet{codeCodeReject, 1, []byte{byte(codeConfigureRequest), 0, 0, 4}})
	require.Equal(t, stateStopping, a.state, "but not without this")
	require.Equal(t, "down TR", b.did())
}
