package limit

// MostKeys is how many keys a process remembers.
const MostKeys = mostKeys
