import { createClient, serve, service, serverStreaming, unary } from '@qrpc/core'
import { createMemoryTransport } from '@qrpc/transport-mem'
const Compute = service('compute', { sqr: unary<number, number>(), count: serverStreaming<number, number>(), countSync: serverStreaming<number, number>() })
const { connector, listener } = createMemoryTransport()
const handler = async (n: number): Promise<number> => n * n
async function* gen(n: number) { for (let i = 0; i < n; i++) yield i & 7 }
function* genSync(n: number) { for (let i = 0; i < n; i++) yield i & 7 }
serve(Compute, { sqr: handler, count: gen, countSync: genSync }, listener)
const client = createClient(Compute, connector)
async function time(name: string, n: number, f: (n: number) => Promise<unknown>) { await f(n/10|0); let best=0; for(let i=0;i<5;i++){const t=performance.now(); await f(n); const dt=performance.now()-t; best=Math.max(best,n/dt*1e3)} console.log(name.padEnd(30), (best/1e6).toFixed(2)+'M/s') }
const q: { message: number, resolve: (n:number)=>void, reject: (e:unknown)=>void }[]=[]; let wake: (()=>void)|null=null
function call(message: number){ return new Promise<number>((resolve,reject)=>{ q.push({message,resolve,reject}); if(wake){const w=wake;wake=null;w()} }) }
void (async()=>{ for(;;){ while(q.length){ const it=q.shift()!; handler(it.message).then(it.resolve,it.reject)} await new Promise<void>(r=>{wake=r})} })()
const N = 2e6
const only = process.argv[2]
if (!only || only === 'u') {
await time('queue', N, async n=>{let s=0;for(let i=0;i<n;i++) s=(s+await call(i&7))|0; return s})
await time('qrpc unary', N, async n=>{let s=0;for(let i=0;i<n;i++) s=(s+await client.sqr(i&7))|0; return s})
await time('queue', N, async n=>{let s=0;for(let i=0;i<n;i++) s=(s+await call(i&7))|0; return s})
}
if (!only || only === 's') {
await time('bare gen', N, async n=>{let s=0; for await(const x of gen(n)) s=(s+x)|0; return s})
await time('qrpc stream', N, async n=>{let s=0; for await(const x of client.count(n)) s=(s+x)|0; return s})
await time('qrpc stream sync', N, async n=>{let s=0; for await(const x of client.countSync(n)) s=(s+x)|0; return s})
await time('qrpc stream sync receive', N, async n=>{let s=0; const c = client.countSync(n); for(;;){ const r = c.receive(); const x = r instanceof Promise ? await r : r; if (x===undefined) return s; s=(s+x)|0 } })
}
process.exit(0)
