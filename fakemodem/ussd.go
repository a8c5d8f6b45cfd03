package fakemodem

// ussdService is what the network answers to codes such as *100#.
type ussdService struct{}
