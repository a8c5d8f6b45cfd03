package fakemodem

import (
	"fmt"
	"strings"
)

// Sockets of Quectel BG9x, EC2x and EC200U: "Quectel BG96 TCP/IP AT Commands
// Manual". The service is the context that is active.
func init() {
	socketDialects[SocketsQuectel] = &socketDialect{
		ids: 12,
		commands: table{
			"+QICSGP":     {run: qiContext},
			"+QIACT":      {run: qiActivate, own: true},
			"+QIDEACT":    {run: qiDeactivate},
			"+QIOPEN":     {run: qiOpen},
			"+QISEND":     {run: qiSend},
			"+QIRD":       {run: qiRead},
			"+QICLOSE":    {run: qiClose},
			"+QISTATE":    {run: qiState},
			"+QIGETERROR": {run: func(c *Call) Result { c.Info("+QIGETERROR: 566,Socket connect failed"); return OK }},
			"+QIDNSGIP":   {run: qiName},
		},
		ready:  func(k *modemSocket) string { return fmt.Sprintf(`+QIURC: "recv",%d`, k.id) },
		closed: func(k *modemSocket) string { return fmt.Sprintf(`+QIURC: "closed",%d`, k.id) },
		lost:   `+QIURC: "pdpdeact",1`,
	}
}

func qiContext(c *Call) Result {
	if c.Op == Set {
		c.m.contexts.define(c.between(0, 1, 16, 1), "IP", c.text(2, ""))
	}
	return OK
}

func qiActivate(c *Call) Result {
	s := &c.m.sockets
	if c.Op == Read {
		if s.service > 0 {
			c.Info(fmt.Sprintf(`+QIACT: %d,1,1,"%s"`, s.service, c.m.contexts.get(s.service).local()))
		}
		return OK
	}
	id := c.between(0, 1, 16, 1)
	r := s.activate(c, id)
	if r.kind == kindOK {
		s.service = id
		return OK
	}
	return ERROR
}

func qiDeactivate(c *Call) Result {
	c.m.sockets.deactivate(c.m, c.between(0, 1, 16, 1))
	return OK
}

func qiOpen(c *Call) Result {
	s := &c.m.sockets
	id, port := c.between(1, 0, 11, 0), c.between(4, 0, 65535, 0)
	if c.bad || c.Op != Set || c.count() < 5 {
		return ERROR
	}
	report := func(code int) {
		c.m.after(0, func() { c.m.notify(fmt.Sprintf("+QIOPEN: %d,%d", id, code)) })
	}
	if takeFault(&s.faults.StaleReady) {
		c.m.after(0, func() { c.m.notify(`+QIURC: "recv",5`) })
	}
	switch {
	case s.service == 0:
		report(561)
		return OK
	case s.list[id] != nil:
		report(563)
		return OK
	}
	k := s.create(c.m, id, "tcp")
	if strings.HasPrefix(strings.ToUpper(c.text(2, "")), "UDP") {
		k.network = "udp"
	}
	k.host, k.port = c.text(3, ""), port
	k.connect(func(err error) {
		if err != nil {
			k.stop()
			report(566) // the number stays in use until +QICLOSE
			return
		}
		report(0)
	})
	return OK
}

func qiSend(c *Call) Result {
	id, size := c.between(0, 0, 11, 0), c.between(1, 0, 1460, 0)
	k := c.m.sockets.list[id]
	if c.bad || c.Op != Set || k == nil || k.conn == nil || k.eof || c.m.sockets.tooLong(size) {
		return ERROR
	}
	if size == 0 {
		c.Info(fmt.Sprintf("+QISEND: %d,%d,0", k.sent, k.sent))
		return OK
	}
	return c.prompted("\r\n> ", size, func(data []byte) Result {
		if k.queued+size > socketBuffer {
			return Final("SEND FAIL") // all or nothing
		}
		return k.send(c, data, func(_ int, err error) Result {
			if err != nil {
				return Final("SEND FAIL")
			}
			return Final("SEND OK")
		})
	})
}

func qiRead(c *Call) Result {
	id := c.between(0, 0, 11, 0)
	k := c.m.sockets.list[id]
	if c.bad || k == nil {
		return ERROR
	}
	if c.given(1) && c.number(1, 0) == 0 {
		c.Info(fmt.Sprintf("+QIRD: %d,%d,%d", k.size, 0, k.size))
		return OK
	}
	data := k.take(c.between(1, 0, 1500, 1500))
	if len(data) == 0 {
		c.Info("+QIRD: 0")
		return OK
	}
	return c.block(fmt.Sprintf("+QIRD: %d\r\n", len(data)), data, "\r\n")
}

func qiClose(c *Call) Result {
	if k := c.m.sockets.list[c.between(0, 0, 11, 0)]; k != nil {
		k.close()
	}
	return OK
}

func qiState(c *Call) Result {
	for id, k := range c.m.sockets.list {
		if c.Op == Set && id != c.number(1, 0) {
			continue
		}
		state := 2
		switch {
		case k.eof:
			state = 4
		case k.conn == nil:
			state = 1
		}
		c.Info(fmt.Sprintf(`+QISTATE: %d,"%s","%s",%d,5087,%d,1,%d,0,"uart1"`, id, strings.ToUpper(k.network), k.host, k.port, state, id))
	}
	return OK
}

func qiName(c *Call) Result {
	c.resolve(c.text(1, ""), func(addr string, ok bool) {
		c.m.after(0, func() {
			if !ok {
				c.m.notify(`+QIURC: "dnsgip",565`)
				return
			}
			c.m.notify(`+QIURC: "dnsgip",0,1,600`)
			c.m.notify(fmt.Sprintf(`+QIURC: "dnsgip","%s"`, addr))
		})
	})
	return OK
}
