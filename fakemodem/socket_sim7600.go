package fakemodem

import (
	"errors"
	"fmt"
	"net"
	"strings"
)

// Sockets of SIM7600 and SIM7500: "SIM7500_SIM7600 Series TCPIP Application
// Note". The service counts 1 while the network is open.
func init() {
	socketDialects[SocketsSIM7600] = &socketDialect{
		ids: 10,
		commands: table{
			"+CIPMODE":     {run: cipKeep},
			"+CIPSENDMODE": {run: cipKeep},
			"+CIPCCFG":     {run: cipKeep},
			"+CIPTIMEOUT":  {run: cipKeep},
			"+NETOPEN":     {run: netOpen, own: true},
			"+NETCLOSE":    {run: netClose},
			"+IPADDR":      {run: netAddress},
			"+CIPRXGET":    {run: cipRxGet, own: true},
			"+CIPOPEN":     {run: cipOpen},
			"+CIPSEND":     {run: cipSend7600},
			"+CIPCLOSE":    {run: cipClose7600},
			"+CDNSGIP":     {run: cipName7600},
		},
		ready:  func(k *modemSocket) string { return fmt.Sprintf("+CIPRXGET: 1,%d", k.id) },
		closed: func(k *modemSocket) string { return fmt.Sprintf("+IPCLOSE: %d,1", k.id) },
		lost:   func(int) string { return "+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY" },
	}
}

func cipKeep(c *Call) Result { return keepValue(c, Parameter{Preset: "0"}) }

func netOpen(c *Call) Result {
	s := &c.m.sockets
	if c.Op == Read {
		c.Info(fmt.Sprintf("+NETOPEN: %d", s.service))
		return OK
	}
	if s.service > 0 {
		c.Info("+IP ERROR: Network is already opened")
		return ERROR
	}
	line := "+NETOPEN: 1"
	if s.activate(c, 1).kind == kindOK {
		s.service = 1
		line = "+NETOPEN: 0"
	}
	c.m.after(0, func() { c.m.notify(line) })
	return OK
}

func netClose(c *Call) Result {
	s := &c.m.sockets
	if s.service == 0 {
		c.Info("+IP ERROR: Network is already closed")
		return ERROR
	}
	s.deactivate(c.m, 1)
	c.m.after(0, func() { c.m.notify("+NETCLOSE: 0") })
	return OK
}

func netAddress(c *Call) Result {
	if c.m.sockets.service == 0 {
		c.Info("+IP ERROR: Network not opened")
		return ERROR
	}
	c.Info("+IPADDR: " + c.m.contexts.get(1).local().String())
	return OK
}

func cipOpen(c *Call) Result {
	s := &c.m.sockets
	id, port := c.between(0, 0, 9, 0), c.between(3, 1, 65535, 80)
	if c.bad || c.Op != Set || c.count() < 2 {
		return ERROR
	}
	report := func(code int) {
		c.m.after(0, func() { c.m.notify(fmt.Sprintf("+CIPOPEN: %d,%d", id, code)) })
	}
	if s.service == 0 {
		report(2) // network not opened
		return ERROR
	}
	if s.list[id] != nil {
		report(4)
		return ERROR
	}
	k := s.create(c.m, id, strings.ToLower(c.text(1, "TCP")))
	k.host, k.port = c.text(2, ""), port
	if takeFault(&s.faults.StaleReady) {
		c.m.after(0, func() { c.m.notify("+CIPRXGET: 1,9") })
	}
	if k.network == "udp" { // bound to a local port; the peer is named with each send
		k.host = ""
		if k.bind(uint16(c.between(4, 1, 65535, 0))) != nil {
			k.close()
			report(6)
			return ERROR
		}
		report(0)
		return OK
	}
	k.connect(func(err error) {
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			k.close()
			report(10)
			return
		}
		report(0)
	})
	return OK
}

func cipSend7600(c *Call) Result {
	id, size := c.between(0, 0, 9, 0), c.between(1, 1, 1500, 0)
	k := c.m.sockets.list[id]
	if c.bad || c.Op != Set || k == nil || k.eof || k.network == "tcp" && k.conn == nil || c.m.sockets.tooLong(size) {
		c.Info("+IP ERROR: No active client")
		return ERROR
	}
	host, port := c.text(2, ""), c.between(3, 1, 65535, 0)
	return c.prompted("\r\n>", size, func(data []byte) Result {
		report := func(taken int, err error) Result {
			if err != nil {
				taken = -1
			}
			c.m.after(c.m.sockets.faults.LateReport, func() { c.m.notify(fmt.Sprintf("+CIPSEND: %d,%d,%d", id, size, taken)) })
			return OK
		}
		return k.sendTo(c, host, port, data, report)
	})
}

func cipClose7600(c *Call) Result {
	if c.Op == Read {
		states := make([]string, 10)
		for id := range states {
			states[id] = "0"
			if k := c.m.sockets.list[id]; k != nil && !k.eof {
				states[id] = "1"
			}
		}
		c.Info("+CIPCLOSE: " + strings.Join(states, ","))
		return OK
	}
	id := c.between(0, 0, 9, 0)
	k := c.m.sockets.list[id]
	if k == nil {
		c.Info("+IP ERROR: No data")
		return ERROR
	}
	k.close()
	c.m.after(0, func() { c.m.notify(fmt.Sprintf("+CIPCLOSE: %d,0", id)) })
	return OK
}

// cipName7600 answers before the OK.
func cipName7600(c *Call) Result {
	name, r := c.text(0, ""), OK
	c.resolve(name, func(addr string, ok bool) {
		if !ok {
			c.Info("+IP ERROR: DNS query failed")
			r = ERROR
			return
		}
		c.Info(fmt.Sprintf(`+CDNSGIP: 1,"%s","%s"`, name, addr))
	})
	return r
}
