package printer

import (
	"context"
	"fmt"
)

// SetSpare names the printer that takes over the jobs of this one while it has a
// fault; nil is none. Two printers may be each other's spare. The store must be
// a Mover.
func (s *Spool) SetSpare(spare *Spool) error {
	if _, ok := s.o.Jobs.(Mover); !ok && spare != nil {
		return fmt.Errorf("printer %q: spare %q: the store cannot move jobs", s.o.Name, spare.o.Name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spare = spare
	return nil
}

// Pause stops printing after the slip in hand. Jobs are kept, or go to the spare.
func (s *Spool) Pause() { s.setPaused(true) }

// Resume goes on printing.
func (s *Spool) Resume() { s.setPaused(false) }

func (s *Spool) setPaused(on bool) {
	s.mu.Lock()
	tell := s.told && s.paused != on && s.o.OnChange != nil
	s.paused = on
	now := s.stands()
	s.mu.Unlock()
	if tell { // Run may be busy with the slip in hand
		s.o.OnChange(now)
	}
	s.Wake()
}

func (s *Spool) isPaused() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.paused
}

// lasting are faults that do not pass by themselves in a moment.
const lasting = ^(notices | HeadHot | Feeding)

// standIn returns the spare if it is there, well, and needed.
func (s *Spool) standIn() *Spool {
	s.mu.Lock()
	spare, st := s.spare, s.stands().Status
	s.mu.Unlock()
	if spare == nil || st&lasting == 0 || spare.Status().Status.Faults() != 0 {
		return nil
	}
	return spare
}

// handOver gives pending jobs to the spare while this printer has a fault.
func (s *Spool) handOver(ctx context.Context) error {
	spare := s.standIn()
	if spare == nil || ctx.Err() != nil {
		return nil
	}
	for {
		job, _, ok, err := s.o.Jobs.NextJob(ctx, s.o.Name)
		if err != nil || !ok {
			return err
		}
		err = s.o.Jobs.(Mover).MoveJob(ctx, job.ID, spare.o.Name)
		if err != nil && !refused(err) {
			return fmt.Errorf("move job %d to %s: %w", job.ID, spare.o.Name, err)
		}
		if err != nil {
			return nil
		}
		spare.Wake()
	}
}
