package central

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// The limits of a backup that a centre keeps. It travels in pieces, so that a line
// that breaks costs one of them.
const (
	BackupPiece  = 512 << 10   // bytes of each piece but the last
	BackupPieces = 1024        // at most: 512 MiB
	BackupsKept  = 2           // of each box; older ones make room
	pieceTries   = 6           // of each piece
	pieceWait    = time.Second // before the second try; each further wait is twice as long
)

// A Kept is a backup that the centre keeps for a box.
type Kept struct {
	Name   string    `json:"name"`
	Pieces int       `json:"pieces"`
	Bytes  int64     `json:"bytes"`
	SHA256 string    `json:"sha256"` // of all pieces together, hexadecimal
	At     time.Time `json:"at"`     // when the centre had all of it
}

// Check says what forbids a backup.
func (k Kept) Check() error {
	sum, err := hex.DecodeString(k.SHA256)
	whole := k.Pieces > 0 && k.Pieces <= BackupPieces && k.Bytes > int64(k.Pieces-1)*BackupPiece && k.Bytes <= int64(k.Pieces)*BackupPiece
	if err != nil || len(sum) != sha256.Size || !whole {
		return Refuse(http.StatusBadRequest, "backup", "a backup has 1 to %d pieces of %d bytes, and its SHA-256", BackupPieces, BackupPiece)
	}
	return nil
}

// Keeps is the answer to who asks for backups: the newest first.
type Keeps struct {
	Backups []Kept `json:"backups"`
}

func backupPath(device string, more ...string) string {
	path := Base + "/backups/" + url.PathEscape(device)
	for _, m := range more {
		path += "/" + url.PathEscape(m)
	}
	return path
}

// Backups lists what the centre keeps for a box, the newest first.
func (c *Client) Backups(ctx context.Context, device string) ([]Kept, error) {
	var k Keeps
	err := c.ask(ctx, http.MethodGet, backupPath(device), nil, &k)
	var p *Problem
	if errors.As(err, &p) && p.Code == "version" {
		err = errors.New("this centre keeps no backups: its program is older than this one")
	}
	return k.Backups, err
}

// SendBackup gives the centre a backup to keep. nil means that the centre has
// committed all of it. Unless it is complete it replaces none.
func (c *Client) SendBackup(ctx context.Context, device, name string, from io.Reader) (Kept, error) {
	k := Kept{Name: name}
	sum, piece := sha256.New(), make([]byte, BackupPiece)
	for {
		n, err := io.ReadFull(from, piece)
		if n > 0 {
			if k.Pieces == BackupPieces {
				return k, fmt.Errorf("send backup: it has more than %d MiB: take a stick", BackupPieces*BackupPiece>>20)
			}
			sum.Write(piece[:n])
			path := backupPath(device, name, strconv.Itoa(k.Pieces))
			if err := again(ctx, func() error { return c.ask(ctx, http.MethodPut, path, piece[:n], nil) }); err != nil {
				return k, fmt.Errorf("send backup: %w", err)
			}
			k.Pieces, k.Bytes = k.Pieces+1, k.Bytes+int64(n)
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			break
		}
		if err != nil {
			return k, fmt.Errorf("send backup: %w", err)
		}
	}
	k.SHA256 = hex.EncodeToString(sum.Sum(nil))
	err := again(ctx, func() error { return c.post(ctx, backupPath(device, name), k, &k) })
	return k, err
}

// FetchBackup writes a backup that the centre keeps. What it wrote is the backup
// only when it returns nil.
func (c *Client) FetchBackup(ctx context.Context, device string, k Kept, to io.Writer) error {
	sum := sha256.New()
	for n := range k.Pieces {
		var piece []byte
		err := again(ctx, func() (err error) {
			piece, err = c.piece(ctx, backupPath(device, k.Name, strconv.Itoa(n)))
			return err
		})
		if err != nil {
			return fmt.Errorf("fetch backup: %w", err)
		}
		sum.Write(piece)
		if _, err := to.Write(piece); err != nil {
			return fmt.Errorf("fetch backup: %w", err)
		}
	}
	if hex.EncodeToString(sum.Sum(nil)) != k.SHA256 {
		return errors.New("fetch backup: what came is not what was kept: use another backup")
	}
	return nil
}

func (c *Client) piece(ctx context.Context, path string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, answerIn)
	defer cancel()
	res, err := c.do(ctx, http.MethodGet, path, nil, nil)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	return io.ReadAll(io.LimitReader(res.Body, BackupPiece+1))
}

// again repeats what a broken wire or a busy centre has stopped.
func again(ctx context.Context, do func() error) error {
	wait := pieceWait
	for try := 1; ; try++ {
		err := do()
		if err == nil || Final(err) || try == pieceTries {
			return err
		}
		select {
		case <-time.After(wait):
			wait *= 2
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		}
	}
}
