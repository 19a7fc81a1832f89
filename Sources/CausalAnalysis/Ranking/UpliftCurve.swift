import MetaLearnersCore

/// The uplift, gain and Qini curves of a ranking, from outcomes alone, as trials are evaluated.
///
/// Of the rows of the arm and of the control that are ranked first, with N of them, N_t and N_c in each arm and sums of outcomes
/// Y_t and Y_c (outcomes other than 0 and 1 less their mean, so that their zero does not matter where an arm has no row yet): uplift is Y_t/N_t − Y_c/N_c (0 where an arm has no row), gain is uplift · N (`uplift_curve` of scikit-uplift,
/// `get_cumgain` of CausalML), and Qini is Y_t − Y_c N_t/N_c (Radcliffe 2007; `qini_curve`, `get_qini`). Counts and sums are
/// weighted. A curve has a point at the end of each group of equal ranks and straight lines between them, so that the order of
/// the rows does not matter.
struct UpliftCurve: Sendable {
    /// The areas of a curve, and its values at shares.
    struct Areas: Sendable {
        /// The area between the gain curve and the straight line of treating at random, both axes as shares of the rows.
        var gain = 0.0
        /// The same over the last point of the curve.
        var relativeGain = Double.nan
        /// The same over that of a perfect ranking, for outcomes of 0 and 1: `uplift_auc_score` of scikit-uplift.
        var gainOfPerfect = Double.nan
        /// The area between the Qini curve for each treated row and the line of treating at random.
        var qini = 0.0
        /// The same over the last point of the curve.
        var relativeQini = Double.nan
        /// The same over that of a perfect ranking: `qini_auc_score` of scikit-uplift.
        var qiniOfPerfect = Double.nan
        /// The gain, in units of the outcome over all rows, at each share of the grid.
        var gains: [Double] = []
        /// The Qini for each treated row, at each share of the grid.
        var qinis: [Double] = []
        /// The areas in one list, then the gains and the Qinis, as resamples compare them.
        var list: [Double] {
            [gain, relativeGain, gainOfPerfect, qini, relativeQini, qiniOfPerfect] + gains + qinis
        }
    }

    private let units: [Int32]
    private let weights: [Double]
    private let outcome: [Double]
    private let isTreated: [Bool]
    private let ends: [Int]
    private let grid: [Double]
    private let isBinary: Bool

    /// Sorts the rows of an arm and of the control. O(rows log rows).
    init(_ study: CausalStudy, _ arm: Int, weights all: [Double], units allUnits: [Int32], grid: [Double])
        throws(MetaLearnersError)
    {
        let effects = try study.orderingEffect(arm)
        let order = effects.indices.filter {
            all[$0] > 0 && (study.arms[$0] == 0 || study.arms[$0] == arm)
        }.sorted { effects[$0] != effects[$1] ? effects[$0] > effects[$1] : $0 < $1 }
        units = order.map { allUnits[$0] }
        weights = order.map { all[$0] }
        let total = order.reduce(0) { $0 + all[$1] }
        let mean = study.isBinary ? 0 : order.reduce(0) { $0 + all[$1] / total * study.outcome[$1] }
        outcome = order.map { study.outcome[$0] - mean }
        isTreated = order.map { study.arms[$0] == arm }
        ends = order.indices.filter { place in
            place + 1 == order.count || effects[order[place]] != effects[order[place + 1]]
        }.map { $0 + 1 }
        self.grid = grid
        isBinary = study.isBinary
    }

    /// Weights and sums of outcomes of the rows ranked first.
    private struct Sums {
        var treated = 0.0
        var control = 0.0
        var ofTreated = 0.0
        var ofControl = 0.0

        var count: Double { treated + control }
        var gain: Double {
            ((treated > 0 ? ofTreated / treated : 0) - (control > 0 ? ofControl / control : 0)) * count
        }
        var qini: Double { ofTreated - (control > 0 ? ofControl * treated / control : 0) }
    }

    /// A curve as it is walked along: its area so far and its values at the shares passed.
    private struct Walk {
        var area = 0.0
        var x = 0.0
        var y = 0.0
        var values: [Double] = []

        mutating func move(toX next: Double, y height: Double, _ grid: [Double]) {
            area += (next - x) * (height + y) / 2
            while values.count < grid.count, grid[values.count] <= next + 1e-12 {
                let along = next > x ? (grid[values.count] - x) / (next - x) : 1
                values.append(y + along * (height - y))
            }
            x = next
            y = height
        }

        /// The area above the straight line to the last point.
        var excess: Double { area - y / 2 }
    }

    /// The areas; on a resample where there are counts of its units. Nil where an arm has no row. O(rows).
    func areas(_ counts: UnsafeBufferPointer<UInt8>? = nil) -> Areas? {
        var all = Sums()
        var positive = Sums()
        for place in units.indices {
            let weight = weights[place] * Double(counts?[Int(units[place])] ?? 1)
            add(place, weight, to: &all)
            if outcome[place] > 0 { add(place, weight, to: &positive) }
        }
        guard all.treated > 0, all.control > 0 else { return nil }
        var gain = Walk()
        var qini = Walk()
        var sums = Sums()
        var start = 0
        for end in ends {
            for place in start..<end {
                add(place, weights[place] * Double(counts?[Int(units[place])] ?? 1), to: &sums)
            }
            let x = sums.count / all.count
            if x > gain.x {
                gain.move(toX: x, y: sums.gain / all.count, grid)
                qini.move(toX: x, y: sums.qini / all.treated, grid)
            }
            start = end
        }
        var areas = Areas()
        areas.gains = gain.values + [Double](repeating: gain.y, count: grid.count - gain.values.count)
        areas.qinis = qini.values + [Double](repeating: qini.y, count: grid.count - qini.values.count)
        areas.gain = gain.excess
        areas.qini = qini.excess
        if gain.y != 0 { areas.relativeGain = gain.excess / gain.y }
        if qini.y != 0 { areas.relativeQini = qini.excess / qini.y }
        guard isBinary else { return areas }
        let perfectGain = perfect(all, positive, ofGain: true)
        let perfectQini = perfect(all, positive, ofGain: false)
        if perfectGain != 0 { areas.gainOfPerfect = gain.excess / perfectGain }
        if perfectQini != 0 { areas.qiniOfPerfect = qini.excess / perfectQini }
        return areas
    }

    /// The area of a perfect ranking, as scikit-uplift has it. Of Qini: treated rows of 1, those of 0 in either arm, control rows
    /// of 1. Of gain: treated rows of 1, control rows of 0, and of the two that are left the larger one first.
    private func perfect(_ all: Sums, _ positive: Sums, ofGain: Bool) -> Double {
        let treatedZeros = Sums(treated: all.treated - positive.treated)
        let controlZeros = Sums(control: all.control - positive.control)
        let treatedOnes = Sums(treated: positive.treated, ofTreated: positive.ofTreated)
        let controlOnes = Sums(control: positive.control, ofControl: positive.ofControl)
        let steps: [[Sums]] =
            if ofGain {
                [[treatedOnes], [controlZeros]]
                    + (controlOnes.control > treatedZeros.treated
                        ? [[controlOnes], [treatedZeros]] : [[treatedZeros], [controlOnes]])
            } else {
                [[treatedOnes], [treatedZeros, controlZeros], [controlOnes]]
            }
        var walk = Walk()
        var sums = Sums()
        for part in steps {
            for step in part {
                sums.treated += step.treated
                sums.control += step.control
                sums.ofTreated += step.ofTreated
                sums.ofControl += step.ofControl
            }
            let x = sums.count / all.count
            guard x > walk.x else { continue }
            walk.move(toX: x, y: ofGain ? sums.gain / all.count : sums.qini / all.treated, [])
        }
        return walk.excess
    }

    private func add(_ place: Int, _ weight: Double, to sums: inout Sums) {
        if isTreated[place] {
            sums.treated += weight
            sums.ofTreated += weight * outcome[place]
        } else {
            sums.control += weight
            sums.ofControl += weight * outcome[place]
        }
    }
}
