import MetaLearnersCore

extension EstimatorConformance {
    func capabilityViolations() throws(MetaLearnersError) -> [String] {
        let data = try ConformanceData()
        var problems: [String] = []
        for (name, needs, task) in try tasks(data) {
            guard capabilities.contains(needs) else {
                let kind = failure { () throws(MetaLearnersError) in _ = try fit(task) }
                if kind != .unsupported {
                    problems.append("\(name) is not claimed, and is not refused as unsupported")
                }
                continue
            }
            let model = try fit(task)
            if model.backendName != estimator.backend.name { problems.append("\(name): wrong backend name") }
            if model.outputCount != task.outputCount {
                problems.append("\(name): \(model.outputCount) outputs instead of \(task.outputCount)")
            }
            problems += shapeViolations(of: try predict(model, data.features), task).map { name + ": " + $0 }
            if needs == .regression, !options.contains(.featureless) {
                let mean = task.target.reduce(0, +) / Double(task.target.count)
                let fitted = try predict(model, data.features)
                let trivial = [Double](repeating: mean, count: task.target.count)
                if Approximate.rootMeanSquare(fitted, task.target)
                    >= Approximate.rootMeanSquare(trivial, task.target)
                {
                    problems.append("regression: no better than the mean on its own rows")
                }
            }
        }
        return problems
    }

    /// Predictions must be as many as rows and outputs, finite, and shares where they are probabilities.
    func shapeViolations(of predictions: [Double], _ task: TrainingTask) -> [String] {
        let rows = task.features.rowCount
        guard predictions.count == rows * task.outputCount else {
            return ["\(predictions.count) predictions for \(rows) rows of \(task.outputCount) outputs"]
        }
        guard predictions.allSatisfy(\.isFinite) else { return ["a prediction is not finite"] }
        guard case .classification(let classes) = task.objective else { return [] }
        guard predictions.allSatisfy({ (0...1).contains($0) }) else {
            return ["a probability outside 0 to 1"]
        }
        let sums = (0..<rows).map { predictions[($0 * classes)..<(($0 + 1) * classes)].reduce(0, +) }
        return sums.allSatisfy { abs($0 - 1) <= 1e-9 } ? [] : ["probabilities that do not add up to 1"]
    }

    func weightViolations() throws(MetaLearnersError) -> [String] {
        let data = try ConformanceData()
        let count = ConformanceData.rowCount
        let ones = [Double](repeating: 1, count: count)
        var problems: [String] = []
        guard capabilities.contains(.weights) else {
            for (name, _, task) in try capableTasks(data, weights: ones)
            where failure({ () throws(MetaLearnersError) in _ = try fit(task) }) != .unsupported {
                problems.append("\(name): weights are not claimed, and are not refused as unsupported")
            }
            return problems
        }
        for (plain, weighted) in zip(try capableTasks(data), try capableTasks(data, weights: ones)) {
            let left = try predict(fit(plain.task), data.features)
            let right = try predict(fit(weighted.task), data.features)
            if !Approximate.equal(left, right, 1e-9) {
                problems.append("\(plain.name): weights of 1 change the fit")
            }
        }
        guard capabilities.contains(.regression) else { return problems }
        // Every third row counts for nothing: whatever its target is must not show.
        let silent = (0..<count).map { $0 % 3 == 0 ? 0.0 : 1 }
        let other = (0..<count).map { $0 % 3 == 0 ? -data.target[$0] : data.target[$0] }
        let fits = [data.target, other].map { target in
            Result { () throws(MetaLearnersError) in
                try predict(
                    fit(
                        TrainingTask(
                            features: data.features, rows: Self.allRows, target: target, weights: silent,
                            seed: 11)),
                    data.features)
            }
        }
        if !Approximate.equal(try fits[0].get(), try fits[1].get(), 1e-6) {
            problems.append("regression: a row of weight 0 has influence")
        }
        // One value in half of the rows, another in the rest: with a constant feature the mean must be weighted.
        let steps = (0..<count).map { $0 % 2 == 0 ? 0.0 : 1 }
        let task = try TrainingTask(
            features: Table([Column("x", [Double](repeating: 1, count: count))]), rows: Self.allRows,
            target: steps,
            weights: steps.map { 1 + 2 * $0 }, seed: 11)
        let mean = try predict(fit(task), task.features)
        if !mean.allSatisfy({ abs($0 - 0.75) < 1e-3 }) {
            problems.append("regression: the weighted mean is \(mean[0]), not 0.75")
        }
        return problems
    }

    func missingValueViolations() throws(MetaLearnersError) -> [String] {
        let data = try ConformanceData(missing: true)
        var problems: [String] = []
        for (name, _, task) in try capableTasks(data) {
            guard capabilities.contains(.missingValues) else {
                let kind = failure { () throws(MetaLearnersError) in _ = try fit(task) }
                if kind != .unsupported && kind != .invalidData {
                    problems.append("\(name): missing values are not claimed, and are not refused")
                }
                continue
            }
            let model = try fit(task)
            problems += shapeViolations(of: try predict(model, data.features), task).map { name + ": " + $0 }
            let blank = [Double](repeating: .nan, count: ConformanceData.rowCount)
            let nothing = try Table(data.features.columns.map { Column($0.name, blank) })
            let predictions = try predict(model, nothing)
            problems += shapeViolations(of: predictions, task).map { name + ", all missing: " + $0 }
            // A model that never saw a missing value must still predict one.
            let whole = try ConformanceData()
            if let complete = try capableTasks(whole).first(where: { $0.name == name }) {
                let predictions = try predict(fit(complete.task), nothing)
                problems += shapeViolations(of: predictions, task).map { name + ", none in training: " + $0 }
            }
        }
        guard capabilities.contains([.missingValues, .regression]) else { return problems }
        // A column without any value must be harmless.
        let blank = Column("blank", [Double](repeating: .nan, count: ConformanceData.rowCount))
        let task = try TrainingTask(
            features: data.features.appending(blank), rows: Self.allRows, target: data.target, seed: 11)
        problems += shapeViolations(of: try predict(fit(task), task.features), task).map {
            "a blank column: " + $0
        }
        return problems
    }

    func categoricalViolations() throws(MetaLearnersError) -> [String] {
        let missing = capabilities.contains(.missingValues)
        let data = try ConformanceData(missing: missing, categorical: true)
        let many = (0..<1000).map { "\($0)" }
        var problems: [String] = []
        for (name, _, task) in try capableTasks(data) {
            guard capabilities.contains(.categoricals) else {
                let kind = failure { () throws(MetaLearnersError) in _ = try fit(task) }
                if kind != .unsupported {
                    problems.append("\(name): categories are not claimed, and are not refused")
                }
                continue
            }
            let model = try fit(task)
            problems += shapeViolations(of: try predict(model, data.features), task).map { name + ": " + $0 }
            guard missing, let region = data.features.columns.last, let levels = region.levels else {
                continue
            }
            let position = data.features.columns.count - 1
            let numeric = data.features.selecting(columns: Array(0..<position))
            var unknown: [[Double]] = []
            for code: Int32 in [-1, 4, .max, .min] {
                let codes = StridedValues(repeating: code, count: ConformanceData.rowCount)
                let table = numeric.appending(Column("region", codes: codes, levels: levels))
                unknown.append(try predict(model, table))
            }
            problems += shapeViolations(of: unknown[0], task).map { name + ", missing level: " + $0 }
            // Columns of another kind, or with other levels, may be refused; they must not trap.
            let swapped = [
                Column("region", (0..<ConformanceData.rowCount).map { Double($0) - 3.5 }),
                Column(
                    "region", codes: StridedValues(repeating: 999, count: ConformanceData.rowCount),
                    levels: many),
                Column(
                    "region", codes: StridedValues(repeating: 0, count: ConformanceData.rowCount), levels: []),
            ]
            for column in swapped {
                let kind = failure { () throws(MetaLearnersError) in
                    _ = try predict(model, numeric.appending(column))
                }
                if let kind, kind != .invalidArgument && kind != .invalidData {
                    problems.append("\(name): a column of another kind gives the error \(kind)")
                }
            }
            let texts = try Table(
                data.features.columns.map {
                    Column(
                        $0.name, codes: StridedValues(repeating: 2, count: ConformanceData.rowCount),
                        levels: many)
                })
            _ = failure { () throws(MetaLearnersError) in _ = try predict(model, texts) }
            if unknown.contains(where: { $0 != unknown[0] }) {
                problems.append("\(name): codes beyond the levels do not count as missing")
            }
        }
        guard capabilities.contains([.categoricals, .regression]), !options.contains(.featureless) else {
            return problems
        }
        // Levels whose order means nothing must still be told apart.
        let codes = (0..<ConformanceData.rowCount).map { Int32($0 % 3) }
        let means = [1.0, -2, 3]
        let task = try TrainingTask(
            features: Table([Column("group", codes: StridedValues(codes), levels: ["a", "b", "c"])]),
            rows: Self.allRows, target: codes.map { means[Int($0)] }, seed: 11)
        let predictions = try predict(fit(task), task.features)
        let order = [predictions[1], predictions[0], predictions[2]]
        if !(order[0] < order[1] && order[1] < order[2]) {
            problems.append("levels are not told apart: \(order)")
        }
        return problems
    }

    func constantTargetViolations() throws(MetaLearnersError) -> [String] {
        let data = try ConformanceData()
        let count = ConformanceData.rowCount
        var problems: [String] = []
        for value in [0.0, 3.25, -1e6] where capabilities.contains(.regression) {
            let task = try TrainingTask(
                features: data.features, rows: Self.allRows, target: [Double](repeating: value, count: count),
                seed: 11)
            let predictions = try predict(fit(task), data.features)
            if !Approximate.equal(predictions, task.target, 1e-9) {
                problems.append("regression: \(value) everywhere is predicted as \(predictions[0])")
            }
        }
        for (classes, needs) in [(2, Capabilities.binary), (3, .multiclass)]
        where capabilities.contains(needs) {
            let task = try TrainingTask(
                features: data.features, rows: Self.allRows, target: [Double](repeating: 1, count: count),
                objective: .classification(classes: classes), seed: 11)
            let predictions = try predict(fit(task), data.features)
            problems += shapeViolations(of: predictions, task).map { "one class of \(classes): " + $0 }
            if predictions.count == count * classes, predictions[1] < 0.5 {
                problems.append("one class of \(classes): it has probability \(predictions[1])")
            }
        }
        return problems
    }
}
