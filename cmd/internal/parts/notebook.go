package parts

import (
	"fmt"
	"os"
)

// notebookLimit is the size at which a notebook is put aside: more than any day says.
const notebookLimit = 4 << 20

// A notebook is a text file that is written for years and does not fill the disk: when
// it is full it takes the place of the one before, FILE.old, and a new one is begun.
type notebook struct {
	*os.File
	size, limit int64
}

func openNotebook(file string, limit int64) (*notebook, error) {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	s, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	return &notebook{File: f, size: s.Size(), limit: limit}, nil
}

// Write adds a line, which is never parted between two files.
func (n *notebook) Write(line []byte) (int, error) {
	if n.size > 0 && n.size+int64(len(line)) > n.limit {
		if err := n.turn(); err != nil {
			return 0, err
		}
	}
	done, err := n.File.Write(line)
	n.size += int64(done)
	return done, err
}

func (n *notebook) turn() error {
	name := n.Name()
	if err := os.Rename(name, name+".old"); err != nil {
		return fmt.Errorf("put the full %s aside: %w: make its directory writable for kioskd", name, err)
	}
	fresh, err := openNotebook(name, n.limit)
	if err != nil {
		return fmt.Errorf("begin %s anew: %w: make its directory writable for kioskd", name, err)
	}
	n.File.Close() // what it holds has been written
	n.File, n.size = fresh.File, fresh.size
	return nil
}
