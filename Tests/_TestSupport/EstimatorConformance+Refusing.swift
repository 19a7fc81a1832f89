import MetaLearnersCore

extension EstimatorConformance {
    func extremeValueViolations() throws(MetaLearnersError) -> [String] {
        let data = try ConformanceData()
        let count = ConformanceData.rowCount
        let features = data.features
            .appending(Column("constant", [Double](repeating: 2, count: count)))
            .appending(Column("huge", (0..<count).map { Double($0) * 1e300 / Double(count) }))
            .appending(Column("tiny", (0..<count).map { Double($0) * .leastNonzeroMagnitude }))
        var problems: [String] = []
        // A backend may give up on such numbers, as long as it says so.
        func attempt(_ name: String, _ task: TrainingTask) {
            do throws(MetaLearnersError) {
                let predictions = try predict(fit(task), task.features)
                problems += shapeViolations(of: predictions, task).map { name + ": " + $0 }
            } catch {
                if error.kind != .numericalFailure { problems.append("\(name): \(error)") }
            }
        }
        for (name, _, task) in try capableTasks(data) {
            attempt(
                "\(name), odd columns",
                try TrainingTask(
                    features: features, rows: Self.allRows, target: task.target, objective: task.objective,
                    seed: 11))
            if capabilities.contains(.weights) {
                for scale in [1e-12, 1e12] {
                    attempt(
                        "\(name), weights of \(scale)",
                        try TrainingTask(
                            features: data.features, rows: Self.allRows, target: task.target,
                            weights: (0..<count).map { scale * Double(1 + $0 % 2) },
                            objective: task.objective,
                            seed: 11))
                }
            }
            if case .classification = task.objective { continue }
            for scale in [1e-200, 1e-9, 1e9, 1e150] {
                attempt(
                    "\(name), targets of \(scale)",
                    try TrainingTask(
                        features: data.features, rows: Self.allRows, target: task.target.map { $0 * scale },
                        objective: task.objective, seed: 11))
            }
        }
        return problems
    }

    func errorViolations() throws(MetaLearnersError) -> [String] {
        let data = try ConformanceData()
        let count = ConformanceData.rowCount
        var problems: [String] = []
        for (name, _, task) in try capableTasks(data) {
            let model = try fit(task)
            let narrow = data.features.selecting(columns: [0, 1])
            let wide = data.features.appending(Column("more", [Double](repeating: 0, count: count)))
            if !options.contains(.featureless) {
                for (what, table) in [("few", narrow), ("many", wide)] {
                    let kind = failure { () throws(MetaLearnersError) in _ = try predict(model, table) }
                    if kind != .invalidArgument {
                        problems.append("\(name): a column too \(what) is not refused")
                    }
                }
                for row: Int32 in [-1, Int32(count), .max, .min] {
                    let kind = failure { () throws(MetaLearnersError) in
                        _ = try predict(model, data.features, rows: [0, row])
                    }
                    if kind != .invalidArgument {
                        problems.append("\(name): row \(row) of \(count) is not refused")
                    }
                }
            }
            guard case .residual(let regressor) = task.objective else { continue }
            let bad: [(String, [Double])] = [
                ("NaN", regressor.map { $0 > 1 ? .nan : $0 }),
                ("infinite", regressor.map { $0 > 1 ? .infinity : $0 }),
                ("zero", [Double](repeating: 0, count: count)),
            ]
            for (what, values) in bad {
                let kind = failure { () throws(MetaLearnersError) in
                    _ = try fit(
                        TrainingTask(
                            features: data.features, rows: Self.allRows, target: task.target,
                            objective: .residual(regressor: values), seed: 11))
                }
                // A regressor that is zero everywhere leaves the effect free: any answer will do, as will none.
                if kind != .invalidData, kind != nil || what != "zero" {
                    problems.append("\(name): a regressor that is \(what) is not refused")
                }
            }
        }
        return problems
    }
}
