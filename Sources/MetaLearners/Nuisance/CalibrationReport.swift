import MetaLearnersCore

/// How well propensities agree with who got what, before and after calibration, on rows that neither the model nor the
/// calibration saw.
public struct CalibrationReport: Sendable, Equatable {
    /// One of ten equal parts of the range of probabilities.
    public struct Bin: Sendable, Equatable {
        /// The weight of the rows whose probability falls into it.
        public let weight: Double
        /// Their mean probability; 0 where there are none.
        public let predicted: Double
        /// The share of them that were in the arm; 0 where there are none.
        public let observed: Double
    }

    /// The scores of one set of probabilities.
    public struct Scores: Sendable, Equatable {
        /// The mean of (e − 1{W=k})²: of the treated arm for two arms, added up over the arms for more (Brier 1950).
        public let brier: Double
        /// The mean of −log e_W.
        public let logLoss: Double
        /// For each arm (for two arms the treated one alone), ten bins of equal width from 0 to 1.
        public let reliability: [[Bin]]
    }

    /// As the models predict.
    public let before: Scores
    /// As they are used.
    public let after: Scores

    init(before: [[Double]], after: [[Double]], arms: RowCodes, weights: [Double]?) {
        self.before = Scores(before, arms, weights)
        self.after = Scores(after, arms, weights)
    }

    private init(before: Scores, after: Scores) {
        self.before = before
        self.after = after
    }

    /// The report of the first process: processors of different kinds may round differently.
    func agreed(_ distribution: DistributedRows?) throws(MetaLearnersError) -> CalibrationReport {
        guard let distribution else { return self }
        let numbers = try distribution.agreed(before.numbers + after.numbers)
        return CalibrationReport(
            before: before.using(numbers.prefix(before.numbers.count)),
            after: after.using(numbers.suffix(after.numbers.count)))
    }

    /// The report as results have it.
    public var specValue: SpecValue { ["before": before.specValue, "after": after.specValue] }
}

extension CalibrationReport.Scores {
    private static let binCount = 10

    /// All numbers, in one order.
    fileprivate var numbers: [Double] {
        [brier, logLoss] + reliability.joined().flatMap { [$0.weight, $0.predicted, $0.observed] }
    }

    /// Scores of the same shape with other numbers.
    fileprivate func using(_ numbers: ArraySlice<Double>) -> CalibrationReport.Scores {
        var rest = numbers.makeIterator()
        func next() -> Double { rest.next() ?? 0 }
        return CalibrationReport.Scores(
            brier: next(), logLoss: next(),
            reliability: reliability.map { bins in
                bins.map { _ in
                    CalibrationReport.Bin(weight: next(), predicted: next(), observed: next())
                }
            })
    }

    init(_ propensities: [[Double]], _ arms: RowCodes, _ weights: [Double]?) {
        let judged = propensities.count == 2 ? [1] : Array(propensities.indices)
        var squares = 0.0
        var surprise = 0.0
        var total = 0.0
        var sums = judged.map { _ in
            [(weight: Double, predicted: Double, observed: Double)](
                repeating: (0, 0, 0), count: Self.binCount)
        }
        for row in arms.indices {
            let weight = weights?[row] ?? 1
            total += weight
            surprise -= weight * Double.log(max(propensities[Int(arms[row])][row], 1e-15))
            for (position, arm) in judged.enumerated() {
                let share = propensities[arm][row]
                let happened = arms[row] == arm ? 1.0 : 0.0
                squares += weight * (share - happened) * (share - happened)
                let bin = min(Self.binCount - 1, max(0, Int(share * Double(Self.binCount))))
                sums[position][bin].weight += weight
                sums[position][bin].predicted += weight * share
                sums[position][bin].observed += weight * happened
            }
        }
        brier = squares / total
        logLoss = surprise / total
        reliability = sums.map { bins in
            bins.map { bin in
                CalibrationReport.Bin(
                    weight: bin.weight, predicted: bin.weight > 0 ? bin.predicted / bin.weight : 0,
                    observed: bin.weight > 0 ? bin.observed / bin.weight : 0)
            }
        }
    }

    var specValue: SpecValue {
        [
            "brier": .number(brier), "log_loss": .number(logLoss),
            "reliability": .array(
                reliability.map { bins in
                    .array(
                        bins.map {
                            [
                                "weight": .number($0.weight), "predicted": .number($0.predicted),
                                "observed": .number($0.observed),
                            ]
                        })
                }),
        ]
    }

    /// Reads what `specValue` wrote; nil where it makes no sense.
    init?(_ value: SpecValue?) {
        guard let object = value?.objectValue, let brier = object["brier"]?.doubleValue,
            let logLoss = object["log_loss"]?.doubleValue, let arms = object["reliability"]?.arrayValue
        else { return nil }
        self.brier = brier
        self.logLoss = logLoss
        reliability = arms.map { bins in
            (bins.arrayValue ?? []).compactMap(\.objectValue).map { bin in
                CalibrationReport.Bin(
                    weight: bin["weight"]?.doubleValue ?? 0, predicted: bin["predicted"]?.doubleValue ?? 0,
                    observed: bin["observed"]?.doubleValue ?? 0)
            }
        }
    }
}

extension CalibrationReport {
    /// Reads what `specValue` wrote; nil where it makes no sense.
    init?(_ value: SpecValue?) {
        guard let object = value?.objectValue, let before = Scores(object["before"]),
            let after = Scores(object["after"])
        else { return nil }
        self.before = before
        self.after = after
    }
}
