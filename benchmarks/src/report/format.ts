/** A number with three digits that count, and thousands set apart. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return '-'
  const digits = value === 0 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))))
  const scale = 10 ** Math.max(0, Math.floor(Math.log10(Math.abs(value))) - 2)
  const rounded = digits > 0 ? value : Math.round(value / scale) * scale
  return rounded.toLocaleString('en-US', {
    minimumFractionDigits: Math.min(digits, 3),
    maximumFractionDigits: Math.min(digits, 3),
  })
}

/** A time in us, in the unit that suits it. */
export function time(us: number): string {
  return us < 1000 ? `${number(us)} us` : `${number(us / 1000)} ms`
}

/** A number of bytes, in the unit that suits it. */
export function bytes(count: number): string {
  if (count < 1024) return `${count} B`
  return count < 1024 * 1024 ? `${number(count / 1024)} KiB` : `${number(count / 1024 / 1024)} MiB`
}
