package device

import (
	"math/rand/v2"
	"time"
)

// Backoff returns how long to wait before try number n (0 is the first repeat):
// a random time between 0 and base doubled n times, never more than limit.
// Full jitter keeps a hall of devices that lost power together from returning
// together. It is the only backoff of the project.
func Backoff(n int, base, limit time.Duration) time.Duration {
	if base <= 0 {
		return 0
	}
	top := base
	for ; n > 0 && top < limit; n-- {
		top *= 2
	}
	return rand.N(min(top, max(limit, 1)) + 1)
}
