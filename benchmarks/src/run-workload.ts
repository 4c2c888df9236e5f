import { type Effort, measure } from './measure.ts'
import { memoryWorkloads } from './mem/workloads.ts'

const [key = '', effort = ''] = process.argv.slice(2)
const workload = memoryWorkloads[key]
if (workload === undefined) throw new Error(`there is no workload "${key}"`)
console.log(JSON.stringify(await measure(workload(), JSON.parse(effort) as Effort)))
process.exit()
