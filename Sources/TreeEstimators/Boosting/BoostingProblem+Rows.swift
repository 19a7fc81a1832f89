extension BoostingProblem {
    /// Calls `body` with each training row, then with each held-out row where `heldOutToo`; threads share the rows.
    @inline(__always)
    func eachRow(heldOutToo: Bool = true, _ body: (Int) -> Void) {
        let parts = rows.shards.count
        team.run(parts) { part in
            for rows in heldOutToo ? [rows.training, rows.heldOut] : [rows.training] {
                for row in rows[part * rows.count / parts..<(part + 1) * rows.count / parts] {
                    body(Int(row))
                }
            }
        }
    }

    /// Calls `body` with each training and held-out row and the leaf that the tree just grown puts it into.
    @inline(__always)
    func eachLeafOfRows(_ body: (_ leaf: Int, _ row: Int) -> Void) {
        team.run(rows.shards.count) { index in
            let shard = rows.shards[index]
            for list in [shard.active, shard.idle, shard.heldOut] {
                list.forEachRow(body)
            }
        }
    }

    /// The nearest integer of a number below 2^31, which ends up in the low bits of the sum.
    @inline(__always)
    static func rounded(_ value: Double) -> Int32 {
        Int32(truncatingIfNeeded: (value + 0x1.8p52).bitPattern)
    }
}
