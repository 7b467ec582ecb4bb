package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"longcheng/central"
	"longcheng/central/server"
	"longcheng/central/store"
)

// rollout offers a release to a share of the boxes. They take it in their next
// pause.
func rollout(ctx context.Context, c *config, args []string, out, _ io.Writer) error {
	r, err := parseRollout(c, args)
	if err != nil {
		return err
	}
	_, s, err := open(ctx, c)
	if err != nil {
		return err
	}
	if err = server.Decide(c.Releases.Directory, r); err == nil {
		text := fmt.Sprintf("%s to %d %% of %s", r.Version, r.Percent, orAll(r.Halls))
		fmt.Fprintln(out, text)
		err = s.Note(ctx, store.Audit{Who: "console", What: "rollout", Text: text})
	}
	return errors.Join(err, s.Close())
}

func orAll(halls []string) string {
	if len(halls) == 0 {
		return "all halls"
	}
	return strings.Join(halls, ", ")
}

func parseRollout(c *config, args []string) (r server.Rollout, err error) {
	if len(args) < 2 {
		return r, errors.New("rollout: give the release, a percentage and, for some halls only, their names")
	}
	if c.Releases.Directory == "" {
		return r, errors.New("rollout: releases.directory is not configured: name the copy of the maintainer's depot")
	}
	r = server.Rollout{Version: args[0], Halls: args[2:], OneWay: c.oneWay}
	if r.Percent, err = strconv.Atoi(args[1]); err != nil || r.Percent < 0 || r.Percent > 100 {
		return r, fmt.Errorf("rollout: %q is no percentage: write 0 to 100", args[1])
	}
	for _, h := range r.Halls {
		if !central.CheckName(h) {
			return r, fmt.Errorf("rollout: %q is no name of a hall", h)
		}
	}
	files, err := filepath.Glob(filepath.Join(c.Releases.Directory, "targets", "*_"+r.Version+".*"))
	if err == nil && len(files) == 0 && r.Percent > 0 {
		_, err = os.Stat(c.Releases.Directory)
		err = errors.Join(err, fmt.Errorf("rollout: there is no release %q in %s: copy the maintainer's depot there first", r.Version, c.Releases.Directory))
	}
	return r, err
}
