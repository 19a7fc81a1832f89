import MetaLearnersCore

extension EstimatorConformance {
    func determinismViolations() throws(MetaLearnersError) -> [String] {
        let data = try ConformanceData()
        var problems: [String] = []
        for (name, _, task) in try capableTasks(data) {
            let model = try fit(task)
            let first = bytes(model)
            if bytes(try fit(task)) != first { problems.append("\(name): a second fit differs") }
            if bytes(try fit(task, threads: 2)) != first {
                problems.append("\(name): 2 threads differ from 1")
            }
            let one = try predict(model, data.features)
            if try predict(model, data.features, threads: 2).map(\.bitPattern) != one.map(\.bitPattern) {
                problems.append("\(name): predictions with 2 threads differ from 1")
            }
            // Fits that run side by side share the cache of the task.
            let side = try capableTasks(data).filter { $0.name == name }
            let slots = (0..<4).map { _ in Slot() }
            ExecutionContext(threads: 2).concurrently(4) { index in
                slots[index].bytes = (try? estimator.fit(side[0].task, ExecutionContext())).map(bytes)
            }
            if slots.contains(where: { $0.bytes != first }) {
                problems.append("\(name): fits side by side differ")
            }
        }
        return problems
    }

    func cancellationViolations() throws(MetaLearnersError) -> [String] {
        let token = CancellationToken()
        token.cancel()
        var problems: [String] = []
        for (name, _, task) in try capableTasks(ConformanceData()) {
            let kind = failure { () throws(MetaLearnersError) in
                _ = try estimator.fit(task, ExecutionContext(threads: 1, cancellation: token))
            }
            if kind != .cancelled { problems.append("\(name): a cancelled fit does not stop") }
        }
        return problems
    }

    func codingViolations() throws(MetaLearnersError) -> [String] {
        let mixed = capabilities.contains([.categoricals, .missingValues])
        let data = try ConformanceData(missing: mixed, categorical: mixed)
        var problems: [String] = []
        for (name, _, task) in try capableTasks(data) {
            let model = try fit(task)
            let encoded = bytes(model)
            var reader = BinaryReader((encoded + [1, 2, 3])[...])
            let decoded = try decode(&reader)
            if reader.remaining != 3 { problems.append("\(name): decoding does not stop where encoding did") }
            if bytes(decoded) != encoded { problems.append("\(name): encoding again gives other bytes") }
            if decoded.outputCount != model.outputCount || decoded.backendName != model.backendName {
                problems.append("\(name): outputs or name are lost")
            }
            let left = try predict(model, data.features).map(\.bitPattern)
            if try predict(decoded, data.features).map(\.bitPattern) != left {
                problems.append("\(name): predictions differ after decoding")
            }
        }
        return problems
    }

    func damagedByteViolations() throws(MetaLearnersError) -> [String] {
        let data = try ConformanceData()
        var problems: [String] = []
        var stream = RandomStream(seed: 3)
        for (name, _, task) in try capableTasks(data) {
            let encoded = bytes(try fit(task))
            for length in stride(from: 0, to: encoded.count, by: max(1, encoded.count / 200)) {
                let kind = failure { () throws(MetaLearnersError) in
                    var reader = BinaryReader(encoded[..<length])
                    _ = try decode(&reader)
                }
                if kind != .corruptModel {
                    problems.append("\(name): \(length) of \(encoded.count) bytes are not refused as corrupt")
                }
            }
            // Altered bytes may still make a model; what must not happen is a trap or an endless loop.
            for _ in 0..<200 {
                var altered = encoded
                altered[stream.integer(below: altered.count)] = UInt8(truncatingIfNeeded: stream.next())
                let kind = failure { () throws(MetaLearnersError) in
                    var reader = BinaryReader(altered[...])
                    let model = try decode(&reader)
                    _ = try predict(model, data.features)
                }
                // (An altered name of a backend, of a model that has others in it, is one that is not here; altered numbers may overflow.)
                let allowed: [MetaLearnersError.Kind] = [
                    .corruptModel, .invalidArgument, .incompatibleModel, .unsupported, .numericalFailure,
                ]
                if let kind, !allowed.contains(kind) {
                    problems.append("\(name): altered bytes give the error \(kind)")
                }
            }
        }
        return problems
    }

    func rowSubsetViolations() throws(MetaLearnersError) -> [String] {
        let data = try ConformanceData()
        let rows = Self.allRows.filter { $0 % 4 != 1 }
        let inside = Set(rows)
        let weights = (0..<ConformanceData.rowCount).map { 1 + Double($0 % 2) }
        func spoiled(_ values: [Double]) -> [Double] {
            values.enumerated().map { inside.contains(Int32($0)) ? $1 : .nan }
        }
        let weighted = capabilities.contains(.weights) ? weights : nil
        let features = try ConformanceData.disturbing(
            data.features, outside: rows, huge: !options.contains(.summarisesAllRows))
        var problems: [String] = []
        for (name, _, task) in try capableTasks(data, weights: weighted, rows: rows) {
            let other = try TrainingTask(
                features: features, rows: rows, target: spoiled(task.target), weights: weighted.map(spoiled),
                objective: Self.mapping(task.objective, spoiled), seed: 11)
            if bytes(try fit(task)) != bytes(try fit(other)) {
                problems.append("\(name): rows outside the task have influence")
            }
            // The rows alone, in a table of their own, must give the same model.
            guard !options.contains(.summarisesAllRows) else { continue }
            func alone(_ values: [Double]) -> [Double] { rows.map { values[Int($0)] } }
            let small = try TrainingTask(
                features: data.features.selecting(rows: rows), rows: Array(0..<Int32(rows.count)),
                target: alone(task.target), weights: weighted.map(alone),
                objective: Self.mapping(task.objective, alone), seed: 11)
            let left = try predict(fit(task), data.features)
            if !Approximate.equal(left, try predict(fit(small), data.features), 1e-9) {
                problems.append("\(name): a list of rows and a table of these rows give different models")
            }
        }
        return problems
    }

    func featureViolations() throws(MetaLearnersError) -> [String] {
        let data = try ConformanceData()
        var problems: [String] = []
        for (name, _, task) in try capableTasks(data) {
            let model = try fit(task)
            let all = try predict(model, data.features)
            let width = model.outputCount
            let some: [Int32] = [5, 0, 89, 5]
            let expected = some.flatMap { Array(all[(Int($0) * width)..<((Int($0) + 1) * width)]) }
            if try predict(model, data.features, rows: some) != expected {
                problems.append("\(name): predictions of listed rows differ from those of all rows")
            }
            if try !predict(model, data.features, rows: []).isEmpty {
                problems.append("\(name): no rows give predictions")
            }
            let empty = try Table([], rowCount: ConformanceData.rowCount)
            let bare = try TrainingTask(
                features: empty, rows: Self.allRows, target: task.target, objective: task.objective, seed: 11)
            problems += shapeViolations(of: try predict(fit(bare), empty), bare).map {
                "\(name), no columns: " + $0
            }
            let one = try TrainingTask(
                features: data.features, rows: [3], target: task.target, objective: task.objective, seed: 11)
            problems += shapeViolations(of: try predict(fit(one), data.features), one).map {
                "\(name), one row: " + $0
            }
            problems += try cacheViolations(task).map { "\(name), " + $0 }
        }
        return problems
    }

    /// Tasks on other columns of the same dataset share its cache, and must not share what is kept of columns.
    private func cacheViolations(_ task: TrainingTask) throws(MetaLearnersError) -> [String] {
        let cache = FeatureCache()
        let columns = task.features.columns
        let sets = [
            columns, columns.reversed(), Array(columns.dropFirst()), columns + [Column("w", task.target)],
        ]
        var problems: [String] = []
        for (index, set) in sets.enumerated() {
            func other(_ cache: FeatureCache) throws(MetaLearnersError) -> TrainingTask {
                try TrainingTask(
                    features: Table(set), rows: task.rows, target: task.target, objective: task.objective,
                    seed: 11, cache: cache)
            }
            if try bytes(fit(other(cache))) != bytes(fit(other(FeatureCache()))) {
                problems.append("set \(index) of columns: a model depends on what the cache has of others")
            }
        }
        return problems
    }
}

/// A place for what one of several concurrent fits gave; each is written by one index alone.
private final class Slot: @unchecked Sendable {  // Written once, before anybody reads it.
    var bytes: [UInt8]?
}
