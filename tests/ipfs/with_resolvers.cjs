// js-ipfs 0.18 needs Promise.withResolvers, which Node has only since version 22.
Promise.withResolvers ??= function () {
  let resolve, reject
  const promise = new this((onResolve, onReject) => { resolve = onResolve; reject = onReject })
  return { promise, resolve, reject }
}
