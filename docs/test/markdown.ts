/** The rows of the tables under the headings that a pattern matches; cells are as they stand in the Markdown. */
export function tableRows(markdown: string, firstColumn: string, secondColumn: string): string[][] {
  const rows: string[][] = []
  let within = false
  for (const line of markdown.split('\n')) {
    const cells = line.startsWith('| ') ? line.slice(2, -2).split(' | ') : []
    if (cells.length === 0) within = false
    else if (cells[0] === firstColumn && cells[1] === secondColumn) within = true
    else if (within && cells[0] !== '---') rows.push(cells)
  }
  return rows
}

/** The code in a cell, without its backticks. */
export function code(cell: string | undefined): string {
  const found = /`(.*)`/.exec(cell ?? '')?.[1]
  if (found === undefined) throw new Error(`there is no code in ${JSON.stringify(cell)}`)
  return found
}

/** The block of code that follows a heading. */
export function codeBlock(markdown: string, heading: string): string {
  const found = markdown.split(`\n${heading}\n`)[1]?.match(/```ts\n(.*?)```/s)?.[1]
  if (found === undefined) throw new Error(`there is no block of code under ${heading}`)
  return found
}
