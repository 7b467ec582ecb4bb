package central

import (
	"context"
	"net/http"
	"net/url"
)

// ReleasesPath is where a centre serves its copy of the signed releases.
const ReleasesPath = Base + "/releases"

// OfferPath is where a box asks which release it may take.
const OfferPath = Base + "/release"

// An Offer is the release that the centre wants on a box; no version means that it
// shall stay as it is. What it names must be signed all the same.
type Offer struct {
	Version string `json:"version,omitempty"`
	OneWay  bool   `json:"one_way,omitempty"` // also if it cannot be given up again
}

// Offer asks which release a box may take; an empty device is the box itself, a name
// one that its host speaks for.
func (c *Client) Offer(ctx context.Context, device string) (o Offer, err error) {
	path := OfferPath
	if device != "" {
		path += "/" + url.PathEscape(device)
	}
	return o, c.ask(ctx, http.MethodGet, path, nil, &o)
}
