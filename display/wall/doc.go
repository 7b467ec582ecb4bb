// Package wall serves the wall page: a browser on a large screen that shows the
// calls of some zones, and acknowledges what it has painted.
//
// It is a display.Surface whose Show succeeds only when a connected page has
// painted the state. It does not know how calls are made or stored, who may
// open the page, or on which address it is served.
package wall
