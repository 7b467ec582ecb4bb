package provision

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

// Whoever watches over the browser hears whether it shows the wizard, at whatever address
// the box's screen has.
func TestTheWizardIsOnTheScreen(t *testing.T) {
	b := Box{Root: t.TempDir(), State: t.TempDir(), Now: time.Now}
	synctest.Test(t, func(t *testing.T) {
		w := wizard(t, b)
		says := func(path string, want int) {
			t.Helper()
			got := httptest.NewRecorder()
			w.Handler().ServeHTTP(got, httptest.NewRequest("GET", path, nil))
			if got.Code != want {
				t.Errorf("%s: %d, want %d", path, got.Code, want)
			}
		}
		const gone, there = http.StatusServiceUnavailable, http.StatusNoContent
		says("/alive", gone)
		says("/state", http.StatusOK)
		says("/alive", there)
		says("/kiosk/touch-1/alive", there)
		time.Sleep(silence)
		says("/alive", gone)
		says("/kiosk/touch-1/alive", gone)
		w.over = http.NotFoundHandler()
		says("/alive", there)
	})
}
