package modbusio

import (
	"context"
	"errors"

	"longcheng/device"
)

// Present asks once whether a board has this address, by reading its first input:
// that changes nothing. A board without inputs refuses, and so is there.
func Present(ctx context.Context, p device.Port, unit byte) (bool, error) {
	_, err := once(ctx, p, request(unit, readInputs, 0, 1))
	var no Exception
	switch {
	case err == nil, errors.As(err, &no):
		return true, nil
	case errors.Is(err, errFrame), errors.Is(err, device.ErrTimeout):
		return false, nil
	}
	return false, err
}

// Size returns how many inputs and coils a board lets itself be asked for, at
// most 64 each.
func Size(ctx context.Context, p device.Port, unit byte) (inputs, coils int) {
	count := func(fn byte) int {
		for _, n := range []uint16{64, 32, 16, 8, 4, 2, 1} {
			if _, err := exchange(ctx, p, request(unit, fn, 0, n)); err == nil {
				return int(n)
			}
		}
		return 0
	}
	return count(readInputs), count(readCoils)
}
