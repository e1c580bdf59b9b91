package bench

import "time"

// Quantile, CheckCharacter and Turn are inner rules that a run cannot show.
func Quantile(sorted []time.Duration, percent int) time.Duration { return quantile(sorted, percent) }

func CheckCharacter(digits string) string { return checkCharacter(digits) }

func Turn(n int, rate float64) time.Duration { return turn(n, rate) }
