package fakemodem

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// telitSockets is how many sockets there are, numbered from 1 on the wire.
const telitSockets = 6

// Sockets of Telit's LE910, ME910, ME310 and HE910: "LE910 V2 Series AT
// Commands" 80446ST10707A, chapter "Multisocket AT Commands", in command mode.
// The service is the context that is active. Not simulated: online mode,
// listening for connections, hexadecimal data to read and SRING with data.
func init() {
	socketDialects[SocketsTelit] = &socketDialect{
		ids:     telitSockets,
		patient: true, // the manuals' note to #SLASTCLOSURE, and transcripts
		commands: table{
			"#SCFG":         {run: telitSet, own: true},
			"#SCFGEXT":      {run: telitSet, own: true},
			"#SCFGEXT2":     {run: telitSet, own: true},
			"#SGACT":        {run: telitContext, own: true},
			"#SD":           {run: telitDial},
			"#SSEND":        {run: telitEntry},
			"#SSENDUDP":     {run: telitEntry},
			"#SSENDEXT":     {run: telitSend},
			"#SSENDUDPEXT":  {run: telitSend},
			"#SRECV":        {run: telitRead},
			"#SS":           {run: telitStatus},
			"#SI":           {run: telitInfo},
			"#SLASTCLOSURE": {run: telitCause},
			"#SH":           {run: telitClose},
		},
		ready: func(k *modemSocket) string {
			if k.telit().ext[0] == 0 {
				return fmt.Sprintf("SRING: %d", k.id+1)
			}
			return fmt.Sprintf("SRING: %d,%d", k.id+1, k.size)
		},
		closed: func(k *modemSocket) string { return k.telitClosed(telitPeer) },
		dropped: func(k *modemSocket) {
			cause := telitNetwork
			if k.eof {
				cause = telitPeer
			}
			k.telitEnd(cause)
			if !k.eof {
				k.m.notify(k.telitClosed(telitNetwork))
			}
		},
	}
}

// Causes of #SLASTCLOSURE.
const (
	telitNobody  = 0 // it was not closed, or by the host
	telitPeer    = 1 // the other side, in good order
	telitSilence = 3 // nothing was exchanged for as long as #SCFG has it
	telitNetwork = 4 // the context is gone
)

// telitSocket is what the modem keeps by the number of a socket: settings, which
// outlast a restart, and what became of the last connection.
type telitSocket struct {
	cfg, ext, ext2 [5]int
	cause          int
	sent, read     int // octets of the last connection
}

// telit finds or makes what is kept for a socket. The presets are those of the
// manual; that all sockets are for context 1 is not.
func (s *socketSet) telitAt(id int) *telitSocket {
	if s.telit[id] == nil {
		s.telit[id] = &telitSocket{cfg: [5]int{1, 300, 90, 600, 50}}
	}
	return s.telit[id]
}

func (k *modemSocket) telit() *telitSocket { return k.m.sockets.telitAt(k.id) }

// telitEnd notes what is asked for after a socket has gone.
func (k *modemSocket) telitEnd(cause int) {
	t := k.telit()
	t.cause, t.sent = cause, k.sent
}

// telitClosed is the word that a socket was closed, as #SCFGEXT2 has it.
func (k *modemSocket) telitClosed(cause int) string {
	switch k.telit().ext2[4] {
	case 1:
		return fmt.Sprintf("NO CARRIER: %d", k.id+1)
	case 2:
		return fmt.Sprintf("NO CARRIER: %d,%d", k.id+1, cause)
	}
	return "NO CARRIER" // whichever it was
}

// telitLimits are the greatest values of the settings, as far as they are
// simulated: SRING without or with the number of octets, octets as they are to
// read, and to send as they are or in hexadecimal digits.
var telitLimits = map[string][5]int{
	"#SCFG": {5, 1500, 65535, 1200, 255}, "#SCFGEXT": {1, 0, 240, 1, 1}, "#SCFGEXT2": {1, 1, 1, 10, 2},
}

// telitSet sets the values of one socket, or reads those of all.
func telitSet(c *Call) Result {
	limits := telitLimits[c.Name]
	values := func(id int) *[5]int {
		t := c.m.sockets.telitAt(id)
		return map[string]*[5]int{"#SCFG": &t.cfg, "#SCFGEXT": &t.ext, "#SCFGEXT2": &t.ext2}[c.Name]
	}
	if c.Op == Read {
		for id := range telitSockets {
			v := values(id)
			c.Info(fmt.Sprintf("%s: %d,%d,%d,%d,%d,%d", c.Name, id+1, v[0], v[1], v[2], v[3], v[4]))
		}
		return OK
	}
	id := c.between(0, 1, telitSockets, 0)
	if c.Op != Set || id == 0 || c.count() > 6 || c.m.sockets.list[id-1] != nil {
		return CME(cmeNotAllowed)
	}
	set := *values(id - 1)
	for i := range set {
		set[i] = c.between(1+i, 0, limits[i], set[i])
	}
	if c.bad {
		return CME(cmeNotSupported)
	}
	*values(id - 1) = set
	return OK
}

// telitContext activates and deactivates a context that sockets are for.
func telitContext(c *Call) Result {
	s := &c.m.sockets
	if c.Op == Read {
		for id := 1; id <= 5; id++ {
			c.Info(fmt.Sprintf("#SGACT: %d,%d", id, map[bool]int{true: 1}[s.service == id]))
		}
		return OK
	}
	id, on := c.between(0, 1, 5, 0), c.between(1, 0, 1, 0)
	used := false
	for n := range telitSockets {
		used = used || s.telitAt(n).cfg[0] == id
	}
	if c.bad || c.Op != Set || !used || (s.service == id) == (on == 1) {
		return CME(cmeNotAllowed)
	}
	if on == 0 {
		s.deactivate(c.m, id)
		return OK
	}
	if r := s.activate(c, id); r.kind != kindOK {
		return r
	}
	s.service = id
	c.Info("#SGACT: " + c.m.contexts.get(id).local().String())
	return OK
}

// telitDial opens a socket in command mode: what it answers comes when it is
// known how that went.
func telitDial(c *Call) Result {
	s := &c.m.sockets
	id, protocol, port := c.between(0, 1, telitSockets, 0)-1, c.between(1, 0, 1, 0), c.between(2, 1, 65535, 0)
	host, local, mode := c.text(3, ""), c.between(5, 0, 65535, 0), c.between(6, 0, 1, 0)
	if c.bad || c.Op != Set || id < 0 || port == 0 || host == "" || mode != 1 {
		return CME(cmeInvalidParam)
	}
	if k := s.list[id]; k != nil && k.telitState() != 0 || s.service == 0 || s.telitAt(id).cfg[0] != s.service {
		return CME(cmeNotAllowed)
	} else if k != nil {
		k.close()
	}
	t := s.telitAt(id)
	t.cause, t.sent, t.read = telitNobody, 0, 0
	k := s.create(c.m, id, "tcp")
	k.host, k.port = host, port
	if takeFault(&s.faults.StaleReady) {
		c.m.after(0, func() { c.m.notify("SRING: 6,12") })
	}
	if protocol == 1 {
		return k.telitBind(uint16(local))
	}
	k.connect(func(err error) {
		if err != nil {
			k.close()
			c.finish(CME(cmeNotAllowed))
			return
		}
		k.telitWatch()
		c.finish(OK)
	})
	return pending
}

// telitWatch closes a socket when nothing was sent or read for <maxTo>, which is
// 90 s by preset. It looks once in that time.
func (k *modemSocket) telitWatch() {
	t := k.telit()
	if t.cfg[2] == 0 {
		return
	}
	traffic := func() int { return k.sent + t.read + k.size }
	before := traffic()
	k.m.after(time.Duration(t.cfg[2])*time.Second, func() {
		switch {
		case k.m.sockets.list[k.id] != k || k.eof:
		case traffic() != before:
			k.telitWatch()
		default:
			k.telitEnd(telitSilence)
			k.close()
			k.m.notify(k.telitClosed(telitSilence))
		}
	})
}

// telitBind gives a socket for datagrams its port and its peer. It hears others
// as well.
func (k *modemSocket) telitBind(local uint16) Result {
	k.network = "udp"
	err := k.bind(local)
	if k.host == "127.0.0.1" { // nobody
		k.host, k.port = "", 0
	} else if k.m.sockets.dial == nil {
		addr, ok := k.m.n.gateway.lookup(k.host)
		if k.host = addr.String(); !ok {
			err = errUnreachable
		}
	}
	if err != nil {
		k.close()
		return CME(cmeNotAllowed)
	}
	return OK
}

// telitSocket finds the socket that the first value names.
func (c *Call) telitSocket() *modemSocket {
	id := c.between(0, 1, telitSockets, 0) - 1
	if c.bad || c.Op != Set || id < 0 {
		return nil
	}
	return c.m.sockets.list[id]
}

// telitState is the state that #SS tells.
func (k *modemSocket) telitState() int {
	switch {
	case k.size > 0:
		return 3 // suspended, data wait
	case k.eof:
		return 0
	case k.network == "tcp" && !k.connected():
		return 6 // being opened
	}
	return 2 // suspended, which is what command mode means
}

func telitStatus(c *Call) Result {
	for id := range telitSockets {
		k := c.m.sockets.list[id]
		if k == nil || k.telitState() == 0 {
			c.Info(fmt.Sprintf("#SS: %d,0", id+1))
			continue
		}
		c.Info(fmt.Sprintf("#SS: %d,%d,%s,%d,%s,%d", id+1, k.telitState(), c.m.sockets.addr(c.m), k.bound, k.host, k.port))
	}
	return OK
}

// telitInfo tells the octets sent, read, waiting and not acknowledged, even of a
// connection that is over. That those that wait do not count as received is from
// an example in the ME910C1 guide, to #SSENDUDP.
func telitInfo(c *Call) Result {
	id := c.between(0, 1, telitSockets, 0) - 1
	if c.bad || c.Op != Set || id < 0 {
		return CME(cmeNotAllowed)
	}
	t := c.m.sockets.telitAt(id)
	sent, waiting, queued := t.sent, 0, 0
	if k := c.m.sockets.list[id]; k != nil {
		sent, waiting, queued = k.sent, k.size, k.queued
	}
	c.Info(fmt.Sprintf("#SI: %d,%d,%d,%d,%d", id+1, sent, t.read, waiting, queued))
	return OK
}

func telitCause(c *Call) Result {
	id := c.between(0, 1, telitSockets, 0) - 1
	if c.bad || c.Op != Set || id < 0 {
		return CME(cmeNotAllowed)
	}
	cause := c.m.sockets.telitAt(id).cause
	if k := c.m.sockets.list[id]; k != nil && k.eof {
		cause = telitPeer
	}
	c.Info(fmt.Sprintf("#SLASTCLOSURE: %d,%d", id+1, cause))
	return OK
}

func telitClose(c *Call) Result {
	if k := c.telitSocket(); k != nil {
		cause := telitNobody
		if k.eof {
			cause = telitPeer
		}
		k.telitEnd(cause)
		k.close()
	}
	return OK
}

// telitSend takes a piece, for #SSENDUDPEXT to a peer that is named. A piece
// that there is no room for is refused at once. Of one that is taken in part
// #SI alone tells how much it was.
func telitSend(c *Call) Result {
	size := c.between(1, 1, 1500, 0)
	k, host, port := c.telitPeer(2)
	if k == nil || c.bad || size == 0 || !k.telitTakes(size) {
		return CME(cmeNotAllowed)
	}
	return c.prompted("\r\n> ", size, func(data []byte) Result { return k.telitGive(c, host, port, data) })
}

// telitEntry takes a piece that Ctrl-Z ends and ESC throws away, in hexadecimal
// digits if the socket is set so.
func telitEntry(c *Call) Result {
	k, host, port := c.telitPeer(1)
	if k == nil || c.bad || !k.telitTakes(1) {
		return CME(cmeNotAllowed)
	}
	return c.askText(1024, false, func(data []byte) Result {
		if k.telit().ext[4] == 1 {
			octets, err := hex.DecodeString(string(data))
			if data = octets; err != nil {
				return CME(cmeNotAllowed)
			}
		}
		if !k.telitTakes(len(data)) {
			return CME(cmeNotAllowed)
		}
		return k.telitGive(c, host, port, data)
	})
}

// telitPeer finds the socket of a send and whom it is for: for datagrams to a
// peer that is named, the value i and the one behind it.
func (c *Call) telitPeer(i int) (k *modemSocket, host string, port int) {
	if k = c.telitSocket(); k == nil {
		return nil, "", 0
	}
	host, port = k.host, k.port
	if strings.HasPrefix(c.Name, "#SSENDUDP") {
		host, port = c.text(i, ""), c.between(i+1, 1, 65535, 0)
	}
	if k.network == "udp" && host == "" {
		return nil, "", 0
	}
	return k, host, port
}

// telitTakes tells whether there is a connection and room for a piece.
func (k *modemSocket) telitTakes(size int) bool {
	return !k.eof && (k.network == "udp" || k.conn != nil) && !k.m.sockets.tooLong(size) && k.queued+size <= socketBuffer
}

func (k *modemSocket) telitGive(c *Call, host string, port int, data []byte) Result {
	return k.sendTo(c, host, port, data, func(taken int, err error) Result {
		if err != nil || taken < len(data) {
			return CME(cmeNotAllowed)
		}
		return OK
	})
}

// telitRead gives what has come; nothing is an error. With 1 as the third value
// it gives one datagram or the beginning of one, its sender, and how much of it
// is left.
func telitRead(c *Call) Result {
	k, most, whose := c.telitSocket(), c.between(1, 1, 1500, 0), c.between(2, 0, 1, 0)
	if k == nil || c.bad || most == 0 || len(k.in) == 0 {
		return CME(cmeNotAllowed)
	}
	first := len(k.in[0].data)
	if whose == 0 || k.network == "tcp" || first <= most {
		first = 0
	}
	var data []byte
	var from netip.AddrPort
	if first > 0 {
		data, from = k.in[0].data[:most], k.in[0].from
		k.in[0].data, k.size = k.in[0].data[most:], k.size-most
		first -= most
	} else {
		data, from = k.take(most)
	}
	k.telit().read += len(data)
	head := fmt.Sprintf("#SRECV: %d,%d\r\n", k.id+1, len(data))
	if whose == 1 {
		host, port := k.sender(from)
		head = fmt.Sprintf("#SRECV: %s,%d,%d,%d,%d\r\n", host, port, k.id+1, len(data), first)
	}
	return c.block(head, data, "\r\n")
}
