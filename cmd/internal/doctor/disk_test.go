package doctor

import (
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// A full disk is said once, whether the doctor alone measures it or the daemon, too.
func TestAFullDiskIsSaidOnce(t *testing.T) {
	for _, theirs := range []string{"disk-full", "disk-filling"} {
		r := newRig(t)
		says(r, "disk", theirs, "disk is full: 3 MB of 900 MB left")
		r.Statfs = func(dir string) (unix.Statfs_t, error) {
			s, err := statfs(dir)
			s.Blocks, s.Bavail = (900<<20)/uint64(s.Bsize), (3<<20)/uint64(s.Bsize)
			return s, err
		}
		found := slices.DeleteFunc(Examine(t.Context(), r.Patient), func(f Finding) bool { return f.ID != "disk-full" && f.ID != "disk-filling" })
		if len(found) != 1 || found[0].ID != "disk-full" || found[0].On != r.State {
			t.Errorf("the daemon says %s: found %+v", theirs, found)
		}
	}
}

// TestADiskSaysHowItFeels: as smartctl 7.3 writes it, cut down to what is read.
func TestADiskSaysHowItFeels(t *testing.T) {
	nvme := func(passed, used string) string {
		return `{"json_format_version":[1,0],"smartctl":{"version":[7,3],"exit_status":0},"device":{"name":"/dev/nvme0n1","protocol":"NVMe"},` +
			`"smart_status":{"passed":` + passed + `,"nvme":{"value":0}},"nvme_smart_health_information_log":{"critical_warning":0,"percentage_used":` + used + `}}`
	}
	sata := func(name, value string) string {
		return `{"smart_status":{"passed":true},"ata_smart_attributes":{"revision":1,"table":[{"id":5,"name":"Reallocated_Sector_Ct","value":1},` +
			`{"id":177,"name":"` + name + `","value":` + value + `,"worst":1,"thresh":0,"when_failed":""}]}}`
	}
	for _, c := range []struct{ what, text, said string }{
		{"no smartctl", "", ""},
		{"no right", `{"smartctl":{"messages":[{"string":"Permission denied","severity":"error"}],"exit_status":2}}`, ""},
		{"no JSON", "smartctl: out of cheese", ""},
		{"a good NVMe disk", nvme("true", "89"), ""},
		{"a worn NVMe disk", nvme("true", "90"), "smartctl: percentage_used 90"},
		{"a failing NVMe disk", nvme("false", "100"), "smartctl: the disk says that it is failing"},
		{"a good SATA disk", sata("Wear_Leveling_Count", "11"), ""},
		{"a worn SATA disk", sata("Wear_Leveling_Count", "10"), "smartctl: Wear_Leveling_Count 10"},
		{"another number", sata("Power_Cycle_Count", "1"), ""},
	} {
		r := newRig(t)
		r.sys("/sys/block/sda/removable", "0\n")
		r.sys("/sys/block/sdb/removable", "1\n")
		r.commands["smartctl --json=c --health --attributes /dev/sda"] = c.text
		r.commands["smartctl --json=c --health --attributes /dev/sdb"] = nvme("false", "100") // of a stick nobody asks
		said := ""
		for _, f := range Examine(t.Context(), r.Patient) {
			if f.ID == "disk-worn" {
				said += f.Said + f.On
			}
		}
		if want := c.said; want != "" && said != want+"sda" || want == "" && said != "" {
			t.Errorf("%s: said %q, want %q of sda", c.what, said, want)
		}
	}
}
