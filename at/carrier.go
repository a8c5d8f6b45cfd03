package at

import "time"

// watchCarrier ends the call when the line's carrier detect goes off.
func (c *DataCall) watchCarrier(dcd func() (bool, error)) {
	tick := time.NewTicker(carrierInterval)
	defer tick.Stop()
	was := false
	for {
		on, err := dcd()
		if err != nil {
			return
		}
		if was && !on {
			c.m.lock()
			if c.m.call == c && c.state == callUp {
				c.hungUp("the carrier is gone")
			}
			c.m.mu.Unlock()
			return
		}
		was = on
		select {
		case <-c.done:
			return
		case <-tick.C:
		}
	}
}

// carrierInterval is the time between looks at carrier detect.
const carrierInterval = time.Second
