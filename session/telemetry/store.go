package telemetry

// Store keeps what must survive the process: the outbox, the inbox, and the
// marks that tell a duplicate from a new reading. OpenStore gives the default
// one, on bbolt; another may be put in its place.
//
// It is an ordered space of keys and values with transactions. All methods may
// be called by several goroutines at once.
type Store interface {
	// Update runs fn in a transaction that can write. When it returns nil,
	// everything fn wrote is on disk, all of it; after any error, none of it.
	// One transaction runs at a time. fn may be run more than once, so it must
	// not depend on what an earlier run left in its variables.
	Update(fn func(Tx) error) error
	// View runs fn in a transaction that only reads.
	View(fn func(Tx) error) error
}

// Tx is a transaction of a Store. It must not be used after the function that
// was given it has returned, nor by another goroutine.
type Tx interface {
	// Get returns the value of key, nil if there is none. The bytes are good
	// until the transaction ends and must not be changed.
	Get(key []byte) []byte
	// Put sets the value of key, which must not be empty.
	Put(key, value []byte) error
	// Delete removes key; a missing one is no error.
	Delete(key []byte) error
	// Scan calls fn in the order of the keys for every key that begins with
	// prefix and is not below from (nil: from the first), until fn returns
	// false. fn must not write.
	Scan(prefix, from []byte, fn func(key, value []byte) bool)
	// OnCommit has fn run right after the transaction was committed, in the
	// order of the transactions. It must not block.
	OnCommit(fn func())
}

// userPrefix opens the part of the key space that belongs to the application.
const userPrefix = 'x'

// userTx shows the application its own part of the store.
type userTx struct{ Tx }

func userKey(key []byte) []byte { return append([]byte{userPrefix}, key...) }

func (t userTx) Get(key []byte) []byte       { return t.Tx.Get(userKey(key)) }
func (t userTx) Put(key, value []byte) error { return t.Tx.Put(userKey(key), value) }
func (t userTx) Delete(key []byte) error     { return t.Tx.Delete(userKey(key)) }
func (t userTx) Scan(prefix, from []byte, fn func(key, value []byte) bool) {
	if from != nil {
		from = userKey(from)
	}
	t.Tx.Scan(userKey(prefix), from, func(key, value []byte) bool { return fn(key[1:], value) })
}
