import { type Effort, measure } from './measure.ts'
import { workloads } from './workloads.ts'

const [key = '', effort = ''] = process.argv.slice(2)
const workload = workloads[key]
if (workload === undefined) throw new Error(`there is no workload "${key}"`)
console.log(JSON.stringify(await measure(await workload(), JSON.parse(effort) as Effort)))
process.exit()
