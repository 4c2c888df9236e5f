import { describeProxy } from './describe-proxy.ts'
import { nginx } from './nginx.ts'

describeProxy(nginx)
