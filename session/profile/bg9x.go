package profile

import "time"

// BG9x is Quectel's Cat-M and NB-IoT family, BG95, BG96 and BG77. Sources: BG96
// TCP/IP AT Commands Manual; particle quectel_ncp_client.cpp; TinyGSM
// TinyGsmClientBG96.h. Its frames may be longer than the N1 agreed, which a
// multiplexer of cmux takes up to twice that.
var BG9x = sibling(EC25, "BG9x", []string{"BG95", "BG96", "BG77"}, func(p *Profile) {
	p.BootTime = 8 * time.Second // particle: BG96 5 to 8 s from the power key
	p.Setup = []string{"+CTZU=3", `+QCFG="cmux/urcport",1`}
})
