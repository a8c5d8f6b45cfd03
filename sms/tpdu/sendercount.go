package tpdu

// senderCounts counts the messages held of each sender.
type senderCounts struct {
	index   keyIndex
	senders []senderCount
	free    []uint32 // places in senders that are not in use
}

type senderCount struct {
	key  setKey
	sets int
}

func newSenderCounts() senderCounts { return senderCounts{index: newKeyIndex()} }

// enter returns the place of a sender, who may have nothing yet.
func (c *senderCounts) enter(key setKey) uint32 {
	x, hash := &c.index, c.index.hash(key)
	for i := x.first(hash); x.slots[i].hash != 0; i = x.after(i) {
		if place := x.slots[i].place; x.slots[i].hash == hash && c.senders[place].key == key {
			return place
		}
	}
	place := uint32(len(c.senders))
	if last := len(c.free) - 1; last >= 0 {
		place, c.free = c.free[last], c.free[:last]
	} else {
		c.senders = append(c.senders, senderCount{})
	}
	c.senders[place] = senderCount{key: key}
	x.add(hash, place)
	return place
}

// leave forgets a sender who has nothing any more.
func (c *senderCounts) leave(place uint32) {
	if c.senders[place].sets == 0 {
		c.index.remove(c.index.hash(c.senders[place].key), place)
		c.free = append(c.free, place)
	}
}
