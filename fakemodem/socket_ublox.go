package fakemodem

import "fmt"

// Sockets of u-blox SARA and LARA: UBX-17003787, chapter "Internet suite". The
// context is that of the packet service; the service counts 1 while a socket
// has used it.
func init() {
	socketDialects[SocketsUblox] = &socketDialect{
		ids: 7,
		commands: table{
			"+USOCR":  {run: usoCreate},
			"+USOCO":  {run: usoConnect},
			"+USOWR":  {run: usoWrite},
			"+USOST":  {run: usoSendTo},
			"+USORD":  {run: usoRead},
			"+USORF":  {run: usoRead},
			"+USOCL":  {run: usoClose},
			"+USOCTL": {run: usoControl},
			"+UDNSRN": {run: usoName},
		},
		ready: func(k *modemSocket) string {
			if k.network == "udp" {
				return fmt.Sprintf("+UUSORF: %d,%d", k.id, k.size)
			}
			return fmt.Sprintf("+UUSORD: %d,%d", k.id, k.size)
		},
		closed: func(k *modemSocket) string { return fmt.Sprintf("+UUSOCL: %d", k.id) },
		lost:   "+UUPSDD: 0",
	}
}

func usoCreate(c *Call) Result {
	s := &c.m.sockets
	network := map[int]string{6: "tcp", 17: "udp"}[c.number(0, 0)]
	id := s.free(7)
	if network == "" || id < 0 {
		return CME(cmeNotAllowed)
	}
	s.create(c.m, id, network)
	if takeFault(&s.faults.StaleReady) {
		c.m.after(0, func() { c.m.notify("+UUSORD: 6,12") })
	}
	c.Info(fmt.Sprintf("+USOCR: %d", id))
	return OK
}

// socket finds the socket that the first value names.
func (c *Call) socket() *modemSocket {
	k := c.m.sockets.list[c.between(0, 0, 6, 0)]
	if c.bad || c.Op != Set || k == nil {
		return nil
	}
	return k
}

func usoConnect(c *Call) Result {
	k := c.socket()
	if k == nil || k.conn != nil {
		return CME(cmeNotAllowed)
	}
	if r := c.m.sockets.activate(c, 1); r.kind != kindOK {
		return CME(cmeNotAllowed)
	}
	c.m.sockets.service = 1
	k.host, k.port = c.text(1, ""), c.between(2, 1, 65535, 0)
	k.connect(func(err error) {
		if err != nil {
			c.finish(CME(cmeNotAllowed))
			return
		}
		c.finish(OK)
	})
	return pending
}

func usoWrite(c *Call) Result {
	k, size := c.socket(), c.between(1, 1, 1024, 0)
	if k == nil || size == 0 || k.conn == nil || k.eof || c.m.sockets.tooLong(size) {
		return CME(cmeNotAllowed)
	}
	return c.prompted("@", size, func(data []byte) Result {
		return k.send(c, data, func(taken int, err error) Result {
			if err != nil {
				return CME(cmeNotAllowed)
			}
			c.Info(fmt.Sprintf("+USOWR: %d,%d", k.id, taken))
			return OK
		})
	})
}

func usoSendTo(c *Call) Result {
	k, host, port, size := c.socket(), c.text(1, ""), c.between(2, 1, 65535, 0), c.between(3, 1, 1024, 0)
	if k == nil || size == 0 || k.network != "udp" {
		return CME(cmeNotAllowed)
	}
	if r := c.m.sockets.activate(c, 1); r.kind != kindOK {
		return CME(cmeNotAllowed)
	}
	return c.prompted("@", size, func(data []byte) Result {
		return k.sendTo(c, host, port, data, func(taken int, err error) Result {
			if err != nil {
				return CME(cmeNotAllowed)
			}
			c.Info(fmt.Sprintf("+USOST: %d,%d", k.id, taken))
			return OK
		})
	})
}

func usoRead(c *Call) Result {
	k, size := c.socket(), c.between(1, 0, 1024, 1024)
	if k == nil {
		return CME(cmeNotAllowed)
	}
	if size == 0 {
		c.Info(fmt.Sprintf("%s: %d,%d", c.Name, k.id, k.size))
		return OK
	}
	if len(k.in) == 0 {
		c.Info(fmt.Sprintf(`%s: %d,""`, c.Name, k.id))
		return OK
	}
	data := k.take(size)
	head := fmt.Sprintf(`%s: %d,%d,"`, c.Name, k.id, len(data))
	if c.Name == "+USORF" {
		head = fmt.Sprintf(`%s: %d,"%s",%d,%d,"`, c.Name, k.id, k.host, k.port, len(data))
	}
	return c.block(head, data, "\"\r\n")
}

func usoClose(c *Call) Result {
	k := c.socket()
	if k == nil {
		return CME(cmeNotAllowed)
	}
	k.close()
	return OK
}

func usoControl(c *Call) Result {
	k, what := c.socket(), c.number(1, 0)
	if k == nil {
		return CME(cmeNotAllowed)
	}
	value := 0
	if what == 10 && k.conn != nil {
		value = 4 // connected
		if k.eof {
			value = 7 // close wait
		}
	}
	c.Info(fmt.Sprintf("+USOCTL: %d,%d,%d", k.id, what, value))
	return OK
}

func usoName(c *Call) Result {
	r := CME(cmeNotAllowed)
	c.resolve(c.text(1, ""), func(addr string, ok bool) {
		if ok {
			c.Info(fmt.Sprintf(`+UDNSRN: "%s"`, addr))
			r = OK
		}
	})
	return r
}
