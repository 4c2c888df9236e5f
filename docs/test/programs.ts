import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** TypeScript out of a page: one block of it, or several that continue each other. */
export interface Program {
  /** Where it begins: `patterns.md:12`. */
  readonly name: string
  /** Its file, in a folder for each page. */
  readonly file: string
  readonly code: string
  /** What it prints, as the page says; `undefined` where it is not to be run. */
  readonly prints: string | undefined
}

interface Block {
  readonly line: number
  readonly language: string
  readonly code: string
  /** What the comments in front of it say. */
  readonly marks: readonly Mark[]
}

interface Mark {
  readonly kind: string
  readonly code: string
}

const PIECE = /^<!-- (given|continues|runs|file [\w.-]+)\b\s*(.*?)-->\n|^```(\w*)[^\n]*\n(.*?)^```\n/gms

/**
 * The programs of a page. A block of `ts` is a module by itself, and run where a block of `text` follows that says what
 * it prints. Its first line may name its file (`// contract.ts`), for other blocks to import. Comments in front of it that
 * readers do not see change that:
 *
 * - `<!-- given CODE -->`: code that comes before it.
 * - `<!-- continues -->`: it goes on where the block before it has ended.
 * - `<!-- runs -->`: it is run, and prints nothing.
 * - `<!-- file NAME CODE -->`: a file that it imports.
 */
export function programsOf(page: string, markdown: string): Program[] {
  const folder = page.replace(/\.md$/, '').replaceAll('/', '-')
  const programs: Program[] = []
  let previous: { line: number; language: string } | undefined
  for (const { line, language, code, marks } of blocksOf(markdown)) {
    const last = programs.at(-1)
    if (language === 'text' && previous?.language === 'ts' && line === previous.line && last !== undefined) {
      programs[programs.length - 1] = { ...last, prints: (last.prints ?? '') + code }
    }
    if (language === 'ts') {
      for (const mark of marks) {
        const file = mark.kind.split('file ')[1]
        if (file !== undefined) {
          programs.push({ name: `${page}:${line}`, file: join(folder, file), code: mark.code, prints: undefined })
        }
      }
      const given = marks.filter(({ kind }) => kind === 'given').map((mark) => mark.code)
      const runs = marks.some(({ kind }) => kind === 'runs')
      const named = /^\/\/ ([\w-]+\.ts)\n/.exec(code)?.[1]
      if (marks.some(({ kind }) => kind === 'continues')) {
        const begun = programs.pop()
        if (begun === undefined) throw new Error(`${page}:${line} continues nothing`)
        programs.push({ ...begun, code: [begun.code, ...given, code].join('\n') })
      } else {
        programs.push({
          name: `${page}:${line}`,
          file: join(folder, named ?? `line-${line}.ts`),
          code: [...given, code].join('\n'),
          prints: runs ? '' : undefined,
        })
      }
    }
    // The line that a block is on which follows at once.
    previous = { line: line + code.split('\n').length + 2, language }
  }
  return programs
}

/** Writes the programs into a folder, each as a module whatever it imports, with what the compiler needs. */
export function writePrograms(directory: string, programs: readonly Program[]): void {
  for (const { file, code } of programs) {
    mkdirSync(dirname(join(directory, file)), { recursive: true })
    writeFileSync(join(directory, file), `${code}\nexport {}\n`)
  }
  const config = { extends: '../../tsconfig.test.json', files: programs.map(({ file }) => file), include: [] }
  writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify(config))
}

function* blocksOf(markdown: string): Iterable<Block> {
  let marks: Mark[] = []
  for (const { index, 1: kind, 2: hidden = '', 3: language = '', 4: code = '' } of markdown.matchAll(PIECE)) {
    if (kind !== undefined) {
      marks.push({ kind, code: hidden })
      continue
    }
    yield { line: markdown.slice(0, index).split('\n').length, language, code, marks }
    marks = []
  }
}
