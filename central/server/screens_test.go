package server

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"longcheng/central"
	"longcheng/central/store"
	"longcheng/kiosk"
	"longcheng/kiosk/signin"
	"longcheng/kiosk/web/webtest"
)

// The pages of the office in a browser, in both languages and two sizes: nothing
// is cut off, and what they say is there.
func TestOfficeInABrowser(t *testing.T) {
	c := atNoon(t)
	c.person("li", RoleCity, "", signin.Hash("right"))
	c.person("wang", RoleManager, "h1", signin.Hash("right"))
	text := "id = \"h1\"\nname = { zh = \"龙城便民服务中心\" }\n\n[rules]\nskip_after = \"20s\"\n" + strings.Repeat("# 其他内容\n", 12)
	for i, change := range []string{"30s", "45s"} {
		_, err := c.store.SaveVersion(t.Context(), store.Version{Name: "h1", Text: strings.Replace(text, "20s", change, 1), Note: "过号等待改为 " + change, Author: "wang"}, int64(i+1))
		must(t, err)
	}
	must(t, c.store.Publish(t.Context(), store.Publication{Name: "h1", Version: 3, Starts: noon().Add(20 * time.Hour), Author: "wang"}, []string{"h1"}))
	must(t, c.store.Publish(t.Context(), store.Publication{Name: "h1", Version: 2, Starts: noon().Add(time.Minute), Author: "wang"}, []string{"h1"}))
	for n := range int64(2) {
		must(t, c.store.Acknowledge(t.Context(), store.Device{Hall: "h1", Device: "h1-hub"}, central.Ack{Stream: central.Documents, Number: n + 1, OK: true}))
	}
	must(t, c.store.Acknowledge(t.Context(), store.Device{Hall: "h1", Device: "h1-hub"}, central.Ack{Stream: central.Documents, Number: 3, Text: "line 12: strip[0].window: there is no window \"2\": name one of the hall document"}))
	var slots []store.Slot
	for n := range 6 {
		slots = append(slots, store.Slot{Hall: "h1", Item: "id-card", At: noon().AddDate(0, 0, 1).Add(time.Duration(n-6) * 30 * time.Minute), Minutes: 30, Capacity: 4})
	}
	must(t, c.store.OpenSlots(t.Context(), slots, "li"))
	for n := range 9 {
		_, err := c.store.Book(t.Context(), store.Booking{Hall: "h1", Item: "id-card", At: slots[n/4].At, Code: central.NewBookingCode(), Request: fmt.Sprint(n), Portal: "city"})
		must(t, err)
	}
	must(t, c.store.AddPortal(t.Context(), store.Portal{Name: "city-app", Maker: "li"}, []byte("x")))

	for hall, name := range hallsByName() {
		c.says(hall, name)
	}
	must(t, c.store.Note(t.Context(), store.Audit{Who: "li", What: "revoked", Hall: "h2", Device: "hub", Text: "stolen"}))

	b := c.browser(t)
	tomorrow := slots[0].At.Format(time.DateOnly)
	pages := []struct{ name, path, zh, en string }{
		{"documents", "/documents", "拒绝", "refused"},
		{"document", "/document?name=h1", "发布此版本", "Publish this version"},
		{"compare", "/document/compare?name=h1&a=2&b=3", "45s", "45s"},
		{"edit", "/document/edit?name=h1", "保存为新版本", "Save as a new version"},
		{"appointments", "/appointments?hall=h1&day=" + tomorrow, "约满", "full"},
		{"statistics", "/statistics?hall=h1&by=item", "平均等候", "mean wait"},
		{"fleet", "/", "龙城政务服务中心（h3）", "Longcheng centre (h3)"},
		{"live", "/live", "龙城政务服务中心（h3）", "Longcheng centre (h3)"},
		{"box", "/box?hall=h2&device=hub", "大厅编号", "Hall id"},
		{"records", "/records", "龙城政务服务中心（h2）", "Longcheng centre (h2)"},
		{"people", "/people", "市级管理员", "city administrator"},
		{"password", "/password", "更改密码", "Change password"},
		{"ticket", "/ticket?hall=h1&number=A001&day=" + url.QueryEscape(noon().Format(time.DateOnly)), "", ""},
	}
	browser := webtest.Start(t)
	for lang, size := range map[string][2]int64{"zh": {1366, 768}, "en": {1920, 1080}} {
		p := browser.Open(t, b.base+"/sign-in?lang=zh", size[0], size[1])
		p.Type("[name=name]", "li")
		p.Type("[name=secret]", "right")
		p.Click("button.main")
		p.Gone("密码")
		for _, x := range pages {
			p.Go(b.base + x.path + map[bool]string{true: "&", false: "?"}[strings.Contains(x.path, "?")] + "lang=" + lang)
			if want := map[string]string{"zh": x.zh, "en": x.en}[lang]; want != "" {
				p.See(want)
			}
			shot(p, fmt.Sprintf("%s-%s-%d", x.name, lang, size[0]))
			if list := p.Overflows(); len(list) > 0 {
				t.Errorf("%s in %s at %d: cut off: %v", x.name, lang, size[0], list)
			}
		}
		p.Close()
	}
	phone := browser.Open(t, b.base+"/q/h1/"+aVisit(3), 390, 844)
	for n, want := range map[int]string{1: "已办结", 2: "请到窗口", 3: "人在您前面"} {
		phone.Go(b.base + "/q/h1/" + aVisit(n) + "?lang=zh")
		phone.See(want)
		shot(phone, fmt.Sprintf("phone-%d-zh", n))
		phone.Go(b.base + "/q/h1/" + aVisit(n) + "?lang=en")
		shot(phone, fmt.Sprintf("phone-%d-en", n))
		if list := phone.Overflows(); len(list) > 0 {
			t.Errorf("phone %d: cut off: %v", n, list)
		}
	}
}

// hallsByName are a hall with a long name, two of the same name, and one that has
// none.
func hallsByName() map[string]kiosk.Text {
	same := kiosk.Text{ZH: "龙城政务服务中心", EN: "Longcheng centre"}
	return map[string]kiosk.Text{
		"h1": {ZH: "龙城市滨江新区不动产登记与社会保险综合便民服务中心（第二分中心）", EN: "Riverside New District Real Estate Registration and Social Security Service Centre, Second Branch"},
		"h2": same, "h3": same, "h4": {},
	}
}

// says lets the host of a hall say its name.
func (c *centre) says(hall string, name kiosk.Text) {
	c.t.Helper()
	is := status(400, "ready")
	is.Hall.Name = name
	must(c.t, c.store.SaveStatus(c.t.Context(), store.Device{Hall: hall, Device: "hub"}, is))
}

// People read the names of halls, in the language of the page; forms send ids. Of
// two halls with one name each has its id beside it, one without a name is called by
// its id, and who is of one hall learns of no other.
func TestHallsAreCalledByName(t *testing.T) {
	c := newCentre(t)
	for hall, name := range hallsByName() {
		c.says(hall, name)
	}
	c.person("li", RoleCity, "", signin.Hash("right"))
	c.person("wang", RoleManager, "h2", signin.Hash("right"))
	city, manager := c.browser(t), c.browser(t)
	city.signIn("li")
	manager.signIn("wang")
	for _, page := range []string{"/statistics", "/appointments", "/people", "/ticket"} {
		status, body := city.get(page + "?lang=zh")
		shows(t, page, status, body, 200, `>龙城市滨江新区`, `<option value="h2">龙城政务服务中心（h2）<`, `<option value="h3">龙城政务服务中心（h3）<`, `<option value="h4">h4<`)
		status, body = city.get(page + "?lang=en")
		shows(t, page, status, body, 200, `>Riverside New District`, `<option value="h3">Longcheng centre (h3)<`)
		_, body = manager.get(page)
		if page != "/people" && (!strings.Contains(body, `>龙城政务服务中心<`) || strings.Contains(body, "h3")) {
			t.Errorf("%s of a manager: %s", page, body)
		}
	}
	for _, page := range []string{"/", "/live", "/box?hall=h2&device=hub", "/accepted?hall=h2&device=hub", "/documents"} {
		status, body := city.get(page)
		shows(t, page, status, body, 200, "Longcheng centre (h2)")
	}
	c.says("h3", kiosk.Text{ZH: "龙城政务服务中心", EN: "Old town centre"})
	status, body := city.get("/statistics?lang=en&hall=h1")
	shows(t, "names that differ in English", status, body, 200, `<option value="h2">Longcheng centre<`, `<option value="h3">Old town centre<`)
}

// Halls stand in the order of a dictionary of the page's language: Chinese ones by
// their sound, numbers by their size; ids where names are the same or missing.
func TestHallsStandInTheOrderOfTheirNames(t *testing.T) {
	names := [2]map[string]string{
		{"h1": "天宁政务中心", "h2": "金坛政务中心", "h3": "第10分厅", "h4": "第9分厅", "h6": "金坛政务中心", "h7": "新北政务中心"},
		{"h1": "Tianning", "h2": "jintan", "h3": "Branch 10", "h4": "Branch 9", "h6": "Jintan", "h7": "Xinbei"},
	}
	for lang, want := range []string{"[h4 h3 h2 h6 h1 h7 h5 h8]", "[h4 h3 h2 h6 h1 h7 h5 h8]"} {
		ids := []string{"h8", "h7", "h6", "h5", "h4", "h3", "h2", "h1"}
		if sortHalls(ids, names[lang], lang); fmt.Sprint(ids) != want {
			t.Errorf("language %d: %v, want %s", lang, ids, want)
		}
	}
}
