import CMetaLearners
import MetaLearners
import MetaLearnersCore
import TreeEstimators

@c @implementation
public func mtlr_dataset_create(
    _ out: UnsafeMutablePointer<OpaquePointer?>?, _ table: UnsafePointer<mtlr_table>?,
    _ spec: UnsafePointer<CChar>?, _ flags: UInt32, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> mtlr_status {
    Boundary.make(out, error) { () throws(MetaLearnersError) in
        let (columns, data) = try readDataset(table, spec, flags)
        return try DatasetObject(CausalDataset(columns, data), data)
    }
}

@c @implementation
public func mtlr_dataset_create_part(
    _ out: UnsafeMutablePointer<OpaquePointer?>?, _ table: UnsafePointer<mtlr_table>?,
    _ spec: UnsafePointer<CChar>?, _ flags: UInt32, _ execution: UnsafePointer<mtlr_execution>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> mtlr_status {
    Boundary.make(out, execution, error) { options throws(MetaLearnersError) in
        guard let collective = options.collective else { throw Boundary.missing("execution.collective") }
        // What is wrong here alone must not leave the others waiting.
        let parts: (columns: Table, data: DataSpec)
        do throws(MetaLearnersError) {
            parts = try readDataset(table, spec, flags)
        } catch {
            collective.refuse(because: error)
            throw error
        }
        return try DatasetObject(CausalDataset(parts.columns, parts.data, partOf: collective), parts.data)
    }
}

@c @implementation
public func mtlr_dataset_create_streamed(
    _ out: UnsafeMutablePointer<OpaquePointer?>?, _ source: UnsafePointer<mtlr_row_source>?,
    _ spec: UnsafePointer<CChar>?, _ execution: UnsafePointer<mtlr_execution>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> mtlr_status {
    Boundary.make(out, execution, error) { options throws(MetaLearnersError) in
        let source = try CallbackRowSource(source)
        let data = try MetaLearnerSpec(SpecText.read(spec)).data
        return try DatasetObject(CausalDataset(source, data, maxBins: source.maxBins, options), data)
    }
}

@c @implementation
public func mtlr_collective_refuse(
    _ kind: mtlr_status, _ problem: UnsafePointer<CChar>?, _ execution: UnsafePointer<mtlr_execution>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> mtlr_status {
    Boundary.run(error, execution) { options throws(MetaLearnersError) in
        guard let collective = options.collective else { throw Boundary.missing("execution.collective") }
        let told: MetaLearnersError
        do throws(MetaLearnersError) {
            guard let problem else { throw Boundary.missing("problem") }
            guard let kind = MetaLearnersError.Kind(rawValue: kind) else {
                throw MetaLearnersError(
                    .invalidArgument, at: "kind", "is \(kind)",
                    remedy: "use the status of an error, such as MTLR_INVALID_DATA")
            }
            told = MetaLearnersError(kind, String(cString: problem))
        } catch {
            collective.refuse(because: error)
            throw error
        }
        collective.refuse(because: told)
    }
}

private func readDataset(
    _ table: UnsafePointer<mtlr_table>?, _ spec: UnsafePointer<CChar>?, _ flags: UInt32
) throws(MetaLearnersError) -> (Table, DataSpec) {
    guard flags == MTLR_DATASET_COPY || flags == MTLR_DATASET_BORROW else {
        throw MetaLearnersError(
            .invalidArgument, at: "flags", "are \(flags)",
            remedy: "use MTLR_DATASET_COPY (0) or MTLR_DATASET_BORROW (1)")
    }
    let data = try MetaLearnerSpec(SpecText.read(spec)).data
    return (try TableView.read(table, for: .training(copying: flags == MTLR_DATASET_COPY)), data)
}

@c @implementation
public func mtlr_dataset_rows(_ dataset: OpaquePointer?) -> Int64 {
    Int64(Handle.object(DatasetObject.self, dataset)?.dataset.rowCount ?? 0)
}

@c @implementation
public func mtlr_dataset_covariate_count(_ dataset: OpaquePointer?) -> Int64 {
    Int64(Handle.object(DatasetObject.self, dataset)?.dataset.covariates.columns.count ?? 0)
}

@c @implementation
public func mtlr_dataset_arm_count(_ dataset: OpaquePointer?) -> Int64 {
    Int64(Handle.object(DatasetObject.self, dataset)?.dataset.armCount ?? 0)
}

@c @implementation
public func mtlr_dataset_arm_label(_ dataset: OpaquePointer?, _ arm: Int64) -> UnsafePointer<CChar>? {
    Handle.object(DatasetObject.self, dataset)?.armLabels.pointer(at: arm)
}

@c @implementation
public func mtlr_dataset_source_rows(
    _ source_rows: UnsafeMutablePointer<Int64>?, _ length: Int64, _ dataset: OpaquePointer?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> mtlr_status {
    Boundary.run(error) { () throws(MetaLearnersError) in
        let dataset = try Handle.required(DatasetObject.self, dataset, "dataset").dataset
        try Boundary.requireLength(length, rows: dataset.rowCount, columns: 1, "length")
        guard let source_rows else { throw Boundary.missing("source_rows") }
        for row in 0..<dataset.rowCount {
            Boundary.store(Int64(dataset.sourceRows.map { Int($0[row]) } ?? row), at: source_rows + row)
        }
    }
}

@c @implementation
public func mtlr_dataset_warnings(
    _ json: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ dataset: OpaquePointer?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> mtlr_status {
    Boundary.text(json, error) { () throws(MetaLearnersError) in
        SpecText.list(try Handle.required(DatasetObject.self, dataset, "dataset").dataset.warnings)
    }
}

@c @implementation
public func mtlr_dataset_free(_ dataset: OpaquePointer?) { Handle.free(DatasetObject.self, dataset) }
