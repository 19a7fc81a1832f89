import MetaLearnersCore

/// Numbers that a plug-in writes, and what is checked of them.
enum PluginOutput {
    /// A NaN that no computation gives: where it is left, nothing was written.
    private static let blank = Double(bitPattern: 0x7FF8_B1A4_B1A4_B1A4)
    /// Numbers beyond the end that must stay blank.
    private static let margin = 16
    /// How far the probabilities of a row may be from adding up to 1; they are divided by their sum then.
    private static let tolerance = 1e-3

    /// Numbers that `fill` writes, `columns` a row, all of them and all finite.
    ///
    /// - Throws: what `fill` throws; `numericalFailure` for a number that is not finite; `internalFault` for too few
    ///   or too many; `outOfMemory`.
    static func filled(
        rows: Int, columns: Int, _ plugin: Plugin,
        _ fill: (UnsafeMutablePointer<Double>) throws(MetaLearnersError) -> Void
    ) throws(MetaLearnersError) -> [Double] {
        let (count, overflow) = rows.multipliedReportingOverflow(by: columns)
        guard !overflow, count <= Int.max / 16 else {
            throw MetaLearnersError(.outOfMemory, "there are too many predictions")
        }
        var failure: MetaLearnersError?
        var isOverrun = false
        let values = [Double](unsafeUninitializedCapacity: count + margin) { buffer, initialized in
            guard let start = buffer.baseAddress else { return }
            start.initialize(repeating: blank, count: count + margin)
            do throws(MetaLearnersError) {
                try fill(start)
            } catch {
                failure = error
            }
            isOverrun = (count..<count + margin).contains { start[$0].bitPattern != blank.bitPattern }
            initialized = count
        }
        if let failure { throw failure }
        if isOverrun { throw plugin.fault("it wrote more than the \(count) numbers that it was asked for") }
        guard let bad = values.firstIndex(where: { !$0.isFinite }) else { return values }
        let row = bad / max(columns, 1)
        if values[bad].bitPattern == blank.bitPattern {
            throw plugin.fault("it left row index \(row) of \(rows) without a prediction")
        }
        throw MetaLearnersError(
            .numericalFailure, at: "backend '\(plugin.name)'",
            "the plug-in predicts \(values[bad]) in row index \(row)",
            remedy: "look for extreme values in the data, or choose another backend")
    }

    /// Probabilities, each row divided by its sum.
    ///
    /// - Throws: `internalFault` for a row whose numbers are no probabilities.
    static func shares(_ values: [Double], classes: Int, _ plugin: Plugin) throws(MetaLearnersError)
        -> [Double]
    {
        var shares = values
        for start in stride(from: 0, to: values.count, by: classes) {
            var sum = 0.0
            for index in start..<start + classes {
                let share = values[index]
                guard share >= -tolerance, share <= 1 + tolerance else {
                    throw plugin.fault("it predicts the probability \(share) in row index \(start / classes)")
                }
                shares[index] = min(max(share, 0), 1)
                sum += shares[index]
            }
            guard abs(sum - 1) <= tolerance else {
                throw plugin.fault("its probabilities in row index \(start / classes) add up to \(sum)")
            }
            if sum != 1 {
                for index in start..<start + classes { shares[index] /= sum }
            }
        }
        return shares
    }
}
