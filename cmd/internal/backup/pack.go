package backup

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// maxUnpacked is more than any box has: a centre that lies fills no disk.
const maxUnpacked = 16 << 30

// Pack writes a backup's directory as one stream, for a place that keeps no
// directories.
func Pack(dir string, to io.Writer) error {
	zip := gzip.NewWriter(to)
	archive := tar.NewWriter(zip)
	if err := errors.Join(archive.AddFS(os.DirFS(dir)), archive.Close(), zip.Close()); err != nil {
		return fmt.Errorf("pack backup: %w", err)
	}
	return nil
}

// Unpack makes a backup's directory of what Pack wrote, and checks it.
func Unpack(from io.Reader, dir string) (Manifest, error) {
	if err := unpack(from, dir); err != nil {
		return Manifest{}, fmt.Errorf("unpack backup: %w", err)
	}
	return Read(dir)
}

func unpack(from io.Reader, dir string) error {
	root, err := os.OpenRoot(dir) // no name leads out of it
	if err != nil {
		return err
	}
	defer root.Close()
	zip, err := gzip.NewReader(from)
	if err != nil {
		return err
	}
	archive := tar.NewReader(io.LimitReader(zip, maxUnpacked))
	for range 2*maxFiles + 8 {
		head, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = unpackOne(root, head, archive)
		}
		if err != nil {
			return err
		}
	}
	return errors.New("there are too many files in it")
}

func unpackOne(root *os.Root, head *tar.Header, from io.Reader) error {
	switch head.Typeflag {
	case tar.TypeDir:
		return root.MkdirAll(filepath.Clean(head.Name), 0o700)
	case tar.TypeReg:
	default:
		return fmt.Errorf("%q is no plain file", head.Name)
	}
	if err := root.MkdirAll(filepath.Dir(head.Name), 0o700); err != nil {
		return err
	}
	f, err := root.OpenFile(head.Name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, from)
	return errors.Join(err, f.Close())
}
