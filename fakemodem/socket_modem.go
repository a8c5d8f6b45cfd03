package fakemodem

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// SocketDialect is the way a maker's modems spell the sockets inside them.
type SocketDialect uint8

// Dialects. A personality has its maker's by preset.
const (
	SocketsNone     SocketDialect = iota
	SocketsSIM800                 // CIPSTART, CIPSEND, CIPRXGET
	SocketsSIM7600                // NETOPEN, CIPOPEN, CIPSEND, CIPRXGET
	SocketsQuectel                // QIACT, QIOPEN, QISEND, QIRD
	SocketsUblox                  // USOCR, USOCO, USOWR, USORD of SARA-R4, R5 and LARA-R6
	SocketsUbloxPSD               // the same of SARA-U2 and G3, with the profiles UPSD, UPSDA, UPSND
	SocketsTelit                  // SCFG, SGACT, SD, SSENDEXT, SRECV, SS, SI, SH with a # in front
)

// socketDialects has the commands and limits of each dialect.
var socketDialects = map[SocketDialect]*socketDialect{}

// socketDialect is a dialect as data.
type socketDialect struct {
	commands table
	ids      int  // sockets at once
	refuses  bool // a send can fail for now
	// Notices of a socket; ready and closed get its number.
	ready  func(s *modemSocket) string
	closed func(s *modemSocket) string
	// lost tells that the context is gone; service is how far the service had
	// come. Nil says nothing.
	lost func(service int) string
	// patient tells a close by the other side when all has been read.
	patient bool
	// dropped is told of each socket that the end of the context closes, before
	// it is closed. Nil is told nothing.
	dropped func(k *modemSocket)
}

// WithSockets gives a modem the sockets of a dialect other than its maker's.
func WithSockets(d SocketDialect) Option {
	return func(m *Modem) { m.sockets.dialect = socketDialects[d] }
}

// WithSocketDialer puts dial in the place of the simulated network for the
// sockets inside the modem. It may wait; it must not use the modem.
func WithSocketDialer(dial func(ctx context.Context, network, address string) (net.Conn, error)) Option {
	return func(m *Modem) { m.sockets.dial = dial }
}

// SocketFaults is what goes wrong with the sockets inside a modem. The zero
// value is nothing; Count fields count down.
type SocketFaults struct {
	LoseReady    int           // notices of data that are not sent
	StaleReady   int           // notices for a socket of another run, sent before the answer to the next open
	LoseClosed   int           // notices of a close that are not sent
	SendFails    int           // sends that are refused for now
	MaxPiece     int           // longer sends are refused with ERROR; zero: no limit
	SlowNames    time.Duration // before a name is resolved
	Partial      int           // the most that a send takes, in octets; zero: no limit
	OpenFails    int           // opens that are refused by the network
	ActivateFail int           // activations that fail
	ShortBlock   int           // reads that stop one octet before the end, and say no more
	Delay        time.Duration // before a prompt
	SlowTLS      time.Duration // before a TLS handshake begins
	LateReport   time.Duration // before the report that comes behind the OK of a send
	LoseDatagram int           // datagrams of sockets that are lost on the way to their peer
}

// SetSocketFaults changes what goes wrong from now on.
func (m *Modem) SetSocketFaults(f SocketFaults) {
	m.n.mu.Lock()
	defer m.n.mu.Unlock()
	m.sockets.faults = f
}

// OpenSockets tells how many sockets inside the modem are in use.
func (m *Modem) OpenSockets() int {
	m.n.mu.Lock()
	defer m.n.mu.Unlock()
	return len(m.sockets.list)
}

// socketSet are the sockets inside a modem.
type socketSet struct {
	dialect *socketDialect
	dial    func(ctx context.Context, network, address string) (net.Conn, error)
	faults  SocketFaults
	list    map[int]*modemSocket
	service int // how far the service has come; the dialect's own count
	files   map[string][]byte
	secure  map[int]*tlsProfile // by the dialect's number
	telit   [telitSockets]*telitSocket
}

// modemSocket is one of them. Its fields are guarded by the network's lock.
type modemSocket struct {
	m       *Modem
	id      int
	network string // "tcp" or "udp"
	host    string
	port    int
	conn    net.Conn // nil until connected
	tls     *tlsProfile
	bound   uint16         // the local port of a socket for datagrams in the simulated network
	peer    netip.AddrPort // its only peer, if it has one
	in      []arrival
	size    int  // octets in it
	told    bool // that there is data, and it was not drained since
	eof     bool // the other side has closed
	sent    int
	out     [][]byte      // taken from the host, not written yet
	queued  int           // octets in it
	writing bool          // a goroutine writes it
	room    chan struct{} // wakes the reader when there is room
	stop    context.CancelFunc
}

// arrival is a datagram and its sender, or a piece of a stream.
type arrival struct {
	data []byte
	from netip.AddrPort
}

// socketBuffer is what a modem keeps for a socket before the peer has to wait.
const socketBuffer = 8 << 10

// socketLinger bounds how long what was taken before a close is still sent.
const socketLinger = 5 * time.Second

// takeFault counts one of the faults down.
func takeFault(n *int) bool {
	if *n <= 0 {
		return false
	}
	*n--
	return true
}

// lookup finds a command of the dialect.
func (s *socketSet) lookup(m *Modem, name string) (command, bool) {
	d := s.of(m)
	if d == nil {
		return command{}, false
	}
	c, ok := d.commands[name]
	return c, ok
}

// of is the dialect: the one that was chosen, or the maker's.
func (s *socketSet) of(m *Modem) *socketDialect {
	if s.dialect != nil {
		return s.dialect
	}
	for _, maker := range makersSockets {
		if strings.HasPrefix(strings.ToUpper(m.kind.Name), maker.prefix) {
			return socketDialects[maker.dialect]
		}
	}
	return nil
}

// makersSockets has the dialects by the beginning of the model's name; the
// first that fits counts.
var makersSockets = []struct {
	prefix  string
	dialect SocketDialect
}{
	{"SIM800", SocketsSIM800}, {"SIM900", SocketsSIM800}, {"SIM76", SocketsSIM7600}, {"SIM75", SocketsSIM7600},
	{"EC2", SocketsQuectel}, {"EG9", SocketsQuectel}, {"BG9", SocketsQuectel}, {"BG7", SocketsQuectel},
	{"SARA-U", SocketsUbloxPSD}, {"SARA-G", SocketsUbloxPSD}, {"LISA-U", SocketsUbloxPSD},
	{"SARA", SocketsUblox}, {"LARA", SocketsUblox}, {"TELIT", SocketsTelit},
}

// activate brings the packet context of the sockets up.
func (s *socketSet) activate(c *Call, id int) Result {
	if takeFault(&s.faults.ActivateFail) {
		return ERROR
	}
	pc := c.m.contexts.get(id)
	r := c.m.contexts.activate(pc)
	if r.kind == kindOK {
		pc.sockets = func() { s.contextGone(c.m, pc) }
	}
	return r
}

// contextGone ends every socket, since the context below them has ended.
func (s *socketSet) contextGone(m *Modem, pc *packetContext) {
	pc.sockets = nil
	was := s.service
	s.service = 0
	d := s.of(m)
	told := was > 0 && d != nil && m.on
	if told && d.dropped != nil {
		for id := range d.ids {
			if k := s.list[id]; k != nil {
				d.dropped(k)
			}
		}
	}
	s.closeAll()
	if told && d.lost != nil {
		m.notify(d.lost(was))
	}
}

// deactivate ends the context because the host wants it.
func (s *socketSet) deactivate(m *Modem, id int) {
	s.service = 0 // so that nothing is told
	s.closeAll()
	m.contexts.deactivate(m.contexts.get(id), errHungUp)
}

// reset forgets everything but what is stored, at a restart.
func (s *socketSet) reset() {
	s.service = 0
	s.secure = nil
	s.closeAll()
}

func (s *socketSet) closeAll() {
	for _, k := range s.list {
		k.close()
	}
}

// free finds the lowest number that is not in use; -1 if there is none.
func (s *socketSet) free(ids int) int {
	for id := range ids {
		if s.list[id] == nil {
			return id
		}
	}
	return -1
}

// create makes a socket that is not connected.
func (s *socketSet) create(m *Modem, id int, network string) *modemSocket {
	k := &modemSocket{m: m, id: id, network: network, room: make(chan struct{}, 1)}
	if s.list == nil {
		s.list = make(map[int]*modemSocket)
	}
	s.list[id] = k
	return k
}

// connect connects k and calls done, with the lock held, when it is known how
// it went. It does not wait. If the host has closed k meanwhile the error is
// net.ErrClosed, and there is nothing to report.
func (k *modemSocket) connect(done func(err error)) {
	s := &k.m.sockets
	ctx, cancel := context.WithTimeout(context.Background(), 75*time.Second)
	k.stop = cancel
	refuse := takeFault(&s.faults.OpenFails)
	slow := s.faults.SlowNames
	if _, err := netip.ParseAddr(k.host); err == nil {
		slow = 0
	}
	reach := k.reach()
	k.m.n.start(func() {
		defer cancel()
		var conn net.Conn
		err := pause(ctx, slow)
		if refuse {
			err = errRefused
		}
		if err == nil {
			conn, err = reach(ctx)
		}
		k.m.n.mu.Lock()
		defer k.m.n.mu.Unlock()
		if s.list[k.id] != k {
			if conn != nil {
				conn.Close()
			}
			done(net.ErrClosed)
			return
		}
		if conn != nil {
			k.conn = conn
			k.m.n.start(k.read)
		}
		done(err)
	})
}

// reach is the way to the peer. That of a datagram socket in the simulated
// network has no connection.
func (k *modemSocket) reach() func(ctx context.Context) (net.Conn, error) {
	s := &k.m.sockets
	if s.dial == nil && k.network == "udp" {
		return func(context.Context) (net.Conn, error) {
			k.m.n.mu.Lock()
			defer k.m.n.mu.Unlock()
			return nil, k.bindTo(k.host, k.port)
		}
	}
	dial, address := s.dial, net.JoinHostPort(k.host, strconv.Itoa(k.port))
	if dial == nil {
		dial = k.m.dialNetwork
	}
	if k.tls == nil || k.network != "tcp" {
		return func(ctx context.Context) (net.Conn, error) { return dial(ctx, k.network, address) }
	}
	config, err := k.tls.config(s.files, k.host)
	slow := s.faults.SlowTLS
	return func(ctx context.Context) (net.Conn, error) {
		if err != nil {
			return nil, err
		}
		conn, err := dial(ctx, k.network, address)
		if err == nil {
			err = pause(ctx, slow)
		}
		if err != nil {
			if conn != nil {
				conn.Close()
			}
			return nil, err
		}
		return handshake(ctx, k.m.n, conn, config)
	}
}

// pause waits for d; its error is that of ctx, if that ends first.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
	return ctx.Err()
}

// read takes in what the peer sends, as far as there is room for it.
func (k *modemSocket) read() {
	b := make([]byte, 1500)
	for {
		n, err := k.conn.Read(b)
		k.m.n.mu.Lock()
		if n > 0 || err == nil && k.network == "udp" {
			k.receive(arrival{data: append([]byte(nil), b[:n]...)})
		}
		mine := k.m.sockets.list[k.id] == k
		full := k.size >= socketBuffer
		if err != nil && mine {
			k.eof = true
			if d := k.m.sockets.of(k.m); k.size == 0 || !d.patient {
				k.announceClose()
			}
		}
		k.m.n.mu.Unlock()
		if err != nil || !mine {
			k.conn.Close()
			return
		}
		for full {
			if _, ok := <-k.room; !ok {
				return
			}
			k.m.n.mu.Lock()
			full = k.size >= socketBuffer
			k.m.n.mu.Unlock()
		}
	}
}

// receive takes in what has come.
func (k *modemSocket) receive(a arrival) {
	k.in = append(k.in, a)
	k.size += len(a.data)
	k.announce()
}

// announce tells of data once until it was drained.
func (k *modemSocket) announce() {
	if k.told {
		return
	}
	k.told = true
	if !takeFault(&k.m.sockets.faults.LoseReady) {
		k.m.notify(k.m.sockets.of(k.m).ready(k))
	}
}

// announceClose tells that the other side has closed.
func (k *modemSocket) announceClose() {
	if k.m.sockets.list[k.id] == k && !takeFault(&k.m.sockets.faults.LoseClosed) {
		k.m.notify(k.m.sockets.of(k.m).closed(k))
	}
}

// take gives up to most octets of the stream, or one datagram cut to it and its
// sender.
func (k *modemSocket) take(most int) (out []byte, from netip.AddrPort) {
	for len(k.in) > 0 && len(out) < most {
		piece := k.in[0].data
		n := min(len(piece), most-len(out))
		out, from = append(out, piece[:n]...), k.in[0].from
		if n == len(piece) || k.network == "udp" {
			k.in = k.in[1:]
			k.size -= len(piece)
		} else {
			k.in[0].data = piece[n:]
			k.size -= n
		}
		if k.network == "udp" {
			break
		}
	}
	if len(k.in) == 0 {
		k.told = false
		if k.eof && len(out) > 0 && k.m.sockets.of(k.m).patient {
			k.m.after(0, k.announceClose) // behind the answer that has the last of it
		}
	}
	select {
	case k.room <- struct{}{}:
	default:
	}
	return out, from
}

// connected tells whether the socket can send to its peer.
func (k *modemSocket) connected() bool { return k.conn != nil || k.peer.IsValid() }

// close ends the socket and frees its number.
func (k *modemSocket) close() {
	if k.m.sockets.list[k.id] != k {
		return
	}
	delete(k.m.sockets.list, k.id)
	if k.stop != nil {
		k.stop()
	}
	if k.conn != nil && !k.writing {
		k.conn.Close()
	}
	if k.writing { // what was taken goes out first, but not for ever
		k.conn.SetDeadline(time.Now().Add(socketLinger))
	}
	close(k.room)
}

// send takes what there is room for and ends the call with what done makes of
// the number of octets taken.
func (k *modemSocket) send(_ *Call, data []byte, done func(taken int, err error) Result) Result {
	s := &k.m.sockets
	if takeFault(&s.faults.SendFails) || !k.connected() || k.eof {
		return done(0, net.ErrClosed)
	}
	if x := k.m.faults.has("F34"); x != nil && x.strikes() {
		if s.of(k.m).refuses {
			return done(0, net.ErrClosed)
		}
		data = data[:len(data)/2]
	}
	if s.faults.Partial > 0 {
		data = data[:min(len(data), s.faults.Partial)]
	}
	if k.peer.IsValid() {
		return k.transmit(k.peer, data, done)
	}
	room := socketBuffer - k.queued
	if len(data) > room && k.network == "udp" {
		room = 0 // a datagram whole or not at all
	}
	data = append([]byte(nil), data[:min(len(data), room)]...)
	if len(data) > 0 {
		k.out = append(k.out, data)
		k.queued += len(data)
		k.sent += len(data)
		if !k.writing {
			k.writing = true
			k.m.n.start(k.write)
		}
	}
	return done(len(data), nil)
}

// write sends what was taken to the peer, and closes the connection behind it
// if the host has closed meanwhile.
func (k *modemSocket) write() {
	k.m.n.mu.Lock()
	defer k.m.n.mu.Unlock()
	for len(k.out) > 0 {
		data := k.out[0]
		k.m.n.mu.Unlock()
		_, err := k.conn.Write(data)
		k.m.n.mu.Lock()
		if err != nil {
			k.out = nil
			break
		}
		k.out = k.out[1:]
		k.queued -= len(data)
	}
	k.writing = false
	if k.m.sockets.list[k.id] != k {
		k.conn.Close()
	}
}

// tooLong tells whether a send of size octets is more than the firmware can.
func (s *socketSet) tooLong(size int) bool { return s.faults.MaxPiece > 0 && size > s.faults.MaxPiece }

// occupy puts every number in use that is free, as a host that died leaves them.
func (s *socketSet) occupy(m *Modem) {
	d := s.of(m)
	if d == nil {
		return
	}
	pc := m.contexts.get(1)
	if m.contexts.activate(pc).kind == kindOK {
		pc.sockets = func() { s.contextGone(m, pc) }
		s.service = max(s.service, 1)
	}
	for id := range d.ids {
		if s.list[id] == nil {
			s.create(m, id, "tcp")
		}
	}
}

// The faults of sockets and names are in the catalogue; how they take hold is
// the sockets' own.
func init() {
	forever := 1 << 30
	set := func(id string, start func(x *injected)) {
		k := faultKinds[id]
		k.start = start
		faultKinds[id] = k
	}
	set("F74", func(x *injected) {
		x.m.sockets.faults.LoseClosed = forever
		x.undo = func() { x.m.sockets.faults.LoseClosed = 0 }
	})
	set("F75", func(x *injected) {
		x.m.sockets.faults.SlowNames = or(x.Delay, 60*time.Second)
		x.undo = func() { x.m.sockets.faults.SlowNames = 0 }
	})
	set("F78", func(x *injected) { x.once(func() { x.m.sockets.occupy(x.m) }) })
}

// prompted asks for k octets with the dialect's mark and a fault's delay.
func (c *Call) prompted(mark string, k int, finish func([]byte) Result) Result {
	if d := c.m.sockets.faults.Delay; d > 0 {
		c.wait = c.m.after(d, func() { c.askOctets(mark, k, finish) })
		return pending
	}
	return c.askOctets(mark, k, finish)
}

// block prints the head of a counted block, the block and OK as the makers lay
// them out, and ends the command.
func (c *Call) block(head string, data []byte, tail string) Result {
	c.p.write([]byte("\r\n" + head))
	if len(data) > 0 && takeFault(&c.m.sockets.faults.ShortBlock) {
		c.p.write(data[:len(data)-1])
		return Silent
	}
	c.p.write(data)
	c.p.write([]byte(tail + "\r\nOK\r\n"))
	return Silent
}

// resolve looks a name up in the simulated network and calls done with the lock held.
func (c *Call) resolve(name string, done func(addr string, ok bool)) {
	n := c.m.n
	if addr, err := netip.ParseAddr(name); err == nil {
		done(addr.String(), true)
		return
	}
	addrs := n.gateway.names[strings.ToLower(name)]
	if len(addrs) == 0 {
		done("", false)
		return
	}
	done(addrs[0].String(), true)
}
