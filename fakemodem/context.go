package fakemodem

import (
	"fmt"
	"net/netip"
	"sort"
	"strings"
)

// maxContexts bounds the packet contexts that a modem defines; makers offer
// between 2 and 24.
const maxContexts = 16

// packetContexts are the PDP contexts of a modem (3GPP TS 27.007 clause 10).
type packetContexts struct {
	m    *Modem
	defs map[int]*packetContext
}

// packetContext is one of them.
type packetContext struct {
	id             int
	kind           string // "IP", "IPV6", "IPV4V6"
	apn            string
	auth           int // +CGAUTH: 0 none, 1 PAP, 2 CHAP
	user, password string
	active         bool
	addr           netip.Addr // of IPv4; zero if it has none
	addr6          netip.Addr
	call           *stream // the data call that uses it
	sockets        func()  // tells the sockets inside the modem that it is gone
}

func (k *packetContexts) init(m *Modem) { k.m = m }

// define makes or changes a context.
func (k *packetContexts) define(id int, kind, apn string) *packetContext {
	if k.defs == nil {
		k.defs = make(map[int]*packetContext)
	}
	c := k.defs[id]
	if c == nil {
		c = &packetContext{id: id}
		k.defs[id] = c
	}
	c.kind, c.apn = kind, apn
	return c
}

// get returns a context, made with an empty APN if there is none: the network
// then takes the subscribed one.
func (k *packetContexts) get(id int) *packetContext {
	if c := k.defs[id]; c != nil {
		return c
	}
	return k.define(id, "IP", "")
}

func (k *packetContexts) ids() []int {
	var ids []int
	for id := range k.defs {
		ids = append(ids, id)
	}
	sort.Ints(ids)
	return ids
}

// activate gets an address for a context from the gateway.
func (k *packetContexts) activate(c *packetContext) Result {
	m := k.m
	if c.active {
		return OK
	}
	if !isRegistered(m.radio.packet) {
		return CME(cmeUnspecifiedGPRS)
	}
	if r, refused := m.faults.activation(); refused {
		return r
	}
	if !m.n.gateway.grant(m, c) {
		return CME(cmeNotSubscribed)
	}
	c.active = true
	return OK
}

// deactivate gives the address back and ends what used it.
func (k *packetContexts) deactivate(c *packetContext, cause error) {
	if !c.active {
		return
	}
	c.active = false
	k.m.n.gateway.release(c)
	if call := c.call; call != nil {
		c.call = nil
		call.drop("NO CARRIER", cause)
	}
	if c.sockets != nil {
		c.sockets()
	}
}

// lose ends all contexts as the network does, and says so.
func (k *packetContexts) lose() {
	for _, id := range k.ids() {
		if c := k.defs[id]; c.active {
			k.loseOne(c)
		}
	}
}

func (k *packetContexts) loseOne(c *packetContext) {
	addr := c.local()
	k.deactivate(c, errLost)
	if k.m.port.set.events > 0 {
		k.m.notify(fmt.Sprintf(`+CGEV: NW DEACT "%s","%s",%d`, c.kind, addr, c.id))
	}
	if format := k.m.kind.Messages.Deactivate; format != "" {
		if strings.Contains(format, "%d") {
			format = fmt.Sprintf(format, c.id)
		}
		k.m.notify(format)
	}
}

// reset ends all contexts without a word, at a restart.
func (k *packetContexts) reset(cause error) {
	for _, id := range k.ids() {
		c := k.defs[id]
		c.call = nil
		k.deactivate(c, cause)
	}
}

// Addr is the IPv4 address of the modem's packet context; the zero Addr while it
// is not active or has none.
func (m *Modem) Addr() netip.Addr {
	m.n.mu.Lock()
	defer m.n.mu.Unlock()
	for _, id := range m.contexts.ids() {
		if c := m.contexts.defs[id]; c.active {
			return c.addr
		}
	}
	return netip.Addr{}
}

// Addr6 is the IPv6 address of the modem's packet context, as Addr. A host that
// dials has chosen an interface identifier of its own by IPV6CP: it may use
// any address of the /64.
func (m *Modem) Addr6() netip.Addr {
	m.n.mu.Lock()
	defer m.n.mu.Unlock()
	for _, id := range m.contexts.ids() {
		if c := m.contexts.defs[id]; c.active {
			return c.addr6
		}
	}
	return netip.Addr{}
}

// Deactivate ends a packet context as the network does; zero ends all.
func (m *Modem) Deactivate(context int) {
	m.n.mu.Lock()
	defer m.n.mu.Unlock()
	if context == 0 {
		m.contexts.lose()
		return
	}
	if c := m.contexts.defs[context]; c != nil && c.active {
		m.contexts.loseOne(c)
	}
}
