import MetaLearnersCore

/// What turns a predicted probability into a calibrated one: a function that never falls.
enum CalibrationCurve: Sendable, Equatable {
    /// Values at ascending predictions, straight lines between them, and the outermost values beyond.
    case isotonic(predictions: [Double], values: [Double])
    /// 1 / (1 + exp(−(slope·logit(p) + intercept))).
    case platt(slope: Double, intercept: Double)

    /// The calibrated probability.
    func callAsFunction(_ prediction: Double) -> Double {
        switch self {
        case .isotonic(let predictions, let values):
            predictions.isEmpty
                ? prediction
                : predictions.withUnsafeBufferPointer { predictions in
                    values.withUnsafeBufferPointer { values in
                        CurvesThroughPoints.straight(prediction, predictions, values)
                    }
                }
        case .platt(let slope, let intercept):
            Logistic.share(slope * Self.logit(prediction) + intercept)
        }
    }

    /// The same curve with no value of its points outside `bounds`.
    func clamped(to bounds: ClosedRange<Double>) -> CalibrationCurve {
        guard case .isotonic(let predictions, let values) = self else { return self }
        return .isotonic(
            predictions: predictions,
            values: values.map { min(max($0, bounds.lowerBound), bounds.upperBound) })
    }

    /// The curve of the first process where it is one of logarithms: processors of different kinds may round differently.
    ///
    /// - Throws: what the collective throws.
    func agreed(_ distribution: DistributedRows?) throws(MetaLearnersError) -> CalibrationCurve {
        guard case .platt(let slope, let intercept) = self else { return self }
        let numbers = try distribution.agreed([slope, intercept])
        return .platt(slope: numbers[0], intercept: numbers[1])
    }

    static func logit(_ probability: Double) -> Double {
        let inside = min(max(probability, 1e-12), 1 - 1e-12)
        return Double.log(inside / (1 - inside))
    }

    /// Isotonic regression: the function that never falls and is nearest to the labels in squared error, by pooling
    /// adjacent violators (Ayer et al. 1955). Equal predictions are one point.
    ///
    /// - Parameters:
    ///   - weights: non-negative.
    /// - Complexity: O(rows · log rows).
    static func isotonic(_ predictions: [Double], _ labels: [Double], weights: [Double]) -> CalibrationCurve {
        struct Block {
            var first: Double
            var last: Double
            var weight: Double
            var mean: Double
        }
        let order = predictions.indices.filter { weights[$0] > 0 }
            .sorted { (predictions[$0], $0) < (predictions[$1], $1) }
        var blocks: [Block] = []
        for index in order {
            let point = predictions[index]
            if var last = blocks.last, last.first == point, last.last == point {
                last.mean += (labels[index] - last.mean) * weights[index] / (last.weight + weights[index])
                last.weight += weights[index]
                blocks[blocks.count - 1] = last
            } else {
                blocks.append(Block(first: point, last: point, weight: weights[index], mean: labels[index]))
            }
        }
        var pooled: [Block] = []
        for block in blocks {
            var block = block
            while let last = pooled.last, last.mean >= block.mean {
                pooled.removeLast()
                let weight = last.weight + block.weight
                block.mean = (last.weight * last.mean + block.weight * block.mean) / weight
                block.weight = weight
                block.first = last.first
            }
            pooled.append(block)
        }
        var knots: [Double] = []
        var values: [Double] = []
        for block in pooled {
            for knot in block.first == block.last ? [block.first] : [block.first, block.last] {
                knots.append(knot)
                values.append(block.mean)
            }
        }
        return .isotonic(predictions: knots, values: values)
    }

    /// Platt's logistic curve over the logit of the prediction, with his targets (n₁ + 1)/(n₁ + 2) and 1/(n₀ + 2) in
    /// place of 1 and 0 (Platt 1999; weights count as rows), by Newton's method.
    static func platt(_ predictions: [Double], _ labels: [Double], weights: [Double]) -> CalibrationCurve {
        let logits = predictions.map(logit)
        var ones = 0.0
        var zeros = 0.0
        for (label, weight) in zip(labels, weights) {
            if label > 0.5 { ones += weight } else { zeros += weight }
        }
        let high = (ones + 1) / (ones + 2)
        let low = 1 / (zeros + 2)
        func loss(_ slope: Double, _ intercept: Double) -> Double {
            var sum = 0.0
            for row in logits.indices {
                let score = slope * logits[row] + intercept
                let target = labels[row] > 0.5 ? high : low
                sum += weights[row] * (Logistic.softplus(score) - target * score)
            }
            return sum
        }
        var slope = 0.0
        var intercept = Double.log((ones + 1) / (zeros + 1))
        var known = loss(slope, intercept)
        for _ in 0..<100 {
            var gradient = (0.0, 0.0)
            var hessian = (1e-12, 0.0, 1e-12)
            for row in logits.indices {
                let share = Logistic.share(slope * logits[row] + intercept)
                let left = weights[row] * (share - (labels[row] > 0.5 ? high : low))
                let curvature = weights[row] * share * (1 - share)
                gradient.0 += left * logits[row]
                gradient.1 += left
                hessian.0 += curvature * logits[row] * logits[row]
                hessian.1 += curvature * logits[row]
                hessian.2 += curvature
            }
            let determinant = hessian.0 * hessian.2 - hessian.1 * hessian.1
            guard determinant > 0, max(abs(gradient.0), abs(gradient.1)) > 1e-10 * (ones + zeros) else {
                break
            }
            let step = (
                (hessian.2 * gradient.0 - hessian.1 * gradient.1) / determinant,
                (hessian.0 * gradient.1 - hessian.1 * gradient.0) / determinant
            )
            var length = 1.0
            var next = loss(slope - step.0, intercept - step.1)
            while next > known, length > 1e-10 {
                length /= 2
                next = loss(slope - length * step.0, intercept - length * step.1)
            }
            guard next < known else { break }
            slope -= length * step.0
            intercept -= length * step.1
            known = next
        }
        return .platt(slope: slope, intercept: intercept)
    }
}
