/// A handle of XGBoost's: a matrix or a booster.
typealias XGBoostHandle = UnsafeMutableRawPointer

/// The functions of XGBoost's C API that the backend calls, with the signatures of its header `c_api.h`.
///
/// All but `XGBoostVersion` return 0 for success; `XGBGetLastError` then gives the message of the calling thread.
struct XGBoostFunctions: Sendable {
    typealias Text = UnsafePointer<CChar>
    typealias HandleSlot = UnsafeMutablePointer<XGBoostHandle?>
    typealias Number = UnsafeMutablePointer<UInt64>
    typealias Shape = UnsafeMutablePointer<UnsafePointer<UInt64>?>
    typealias Floats = UnsafeMutablePointer<UnsafePointer<Float>?>
    typealias LogCallback = @convention(c) (Text?) -> Void
    typealias NextBatch = @convention(c) (UnsafeMutableRawPointer?) -> Int32
    typealias Restart = @convention(c) (UnsafeMutableRawPointer?) -> Void

    typealias Version =
        @convention(c) (
            UnsafeMutablePointer<Int32>, UnsafeMutablePointer<Int32>, UnsafeMutablePointer<Int32>
        ) -> Void
    typealias LastError = @convention(c) () -> Text?
    typealias RegisterLog = @convention(c) (LogCallback) -> Int32
    typealias Free = @convention(c) (XGBoostHandle) -> Int32
    typealias Create = @convention(c) (HandleSlot) -> Int32
    typealias FromDense = @convention(c) (Text, Text, HandleSlot) -> Int32
    typealias SetTexts =
        @convention(c) (XGBoostHandle, Text, UnsafeMutablePointer<Text?>?, UInt64) -> Int32
    typealias SetDense = @convention(c) (XGBoostHandle, Text) -> Int32
    typealias FromBatches =
        @convention(c) (
            UnsafeMutableRawPointer, XGBoostHandle, XGBoostHandle?, Restart, NextBatch, Text, HandleSlot
        ) -> Int32
    typealias CreateBooster =
        @convention(c) (UnsafePointer<XGBoostHandle?>?, UInt64, HandleSlot) -> Int32
    typealias SetParameter = @convention(c) (XGBoostHandle, Text, Text) -> Int32
    typealias BoostRound =
        @convention(c) (
            XGBoostHandle, XGBoostHandle, UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>, UInt64
        ) -> Int32
    typealias TrainRound = @convention(c) (XGBoostHandle, XGBoostHandle, Int32, Text, Text) -> Int32
    typealias PredictMatrix =
        @convention(c) (XGBoostHandle, XGBoostHandle, Text, Shape, Number, Floats) -> Int32
    typealias PredictDense =
        @convention(c) (XGBoostHandle, Text, Text, XGBoostHandle?, Shape, Number, Floats) -> Int32
    typealias Slice = @convention(c) (XGBoostHandle, Int32, Int32, Int32, HandleSlot) -> Int32
    typealias Save =
        @convention(c) (XGBoostHandle, Text, Number, UnsafeMutablePointer<UnsafePointer<CChar>?>) -> Int32
    typealias Load = @convention(c) (XGBoostHandle, UnsafeRawPointer, UInt64) -> Int32
    typealias Count = @convention(c) (XGBoostHandle, Number) -> Int32
    typealias Dump =
        @convention(c) (
            XGBoostHandle, Text, Int32, Text, Number,
            UnsafeMutablePointer<UnsafeMutablePointer<Text?>?>
        ) -> Int32

    let version: Version
    let lastError: LastError
    let registerLog: RegisterLog
    let freeMatrix: Free
    let matrixFromDense: FromDense
    let setTexts: SetTexts
    let createProxy: Create
    let setDense: SetDense
    let quantileMatrixFromBatches: FromBatches
    let createBooster: CreateBooster
    let freeBooster: Free
    let setParameter: SetParameter
    /// One round on gradients given as arrays; deprecated since 2.1, where `trainRound` takes its place.
    let boostRound: BoostRound?
    /// One round on gradients described by array interfaces; since 2.1.
    let trainRound: TrainRound?
    let predictMatrix: PredictMatrix
    let predictDense: PredictDense
    let slice: Slice
    let save: Save
    let load: Load
    let featureCount: Count
    let dump: Dump
    let setBoosterTexts: SetTexts
    /// Of OpenMP, which XGBoost brings: how many threads the calling thread may use where a call does not say.
    let setThreads: (@convention(c) (Int32) -> Void)?
    /// What joins processes; nil where the library lacks it, as 1.7 does.
    let collective: Collective?

    /// Looks the functions up.
    ///
    /// - Parameters:
    ///   - library: where they are.
    ///   - missing: receives the name of the first required function that is not there.
    init?(_ library: SharedLibrary, missing: inout String?) {
        func find<Function>(_ name: String, _: Function.Type = Function.self) -> Function? {
            let function: Function? = library.function(name)
            if function == nil, missing == nil { missing = name }
            return function
        }
        guard let version: Version = find("XGBoostVersion"),
            let lastError: LastError = find("XGBGetLastError"),
            let registerLog: RegisterLog = find("XGBRegisterLogCallback"),
            let freeMatrix: Free = find("XGDMatrixFree"),
            let matrixFromDense: FromDense = find("XGDMatrixCreateFromDense"),
            let setTexts: SetTexts = find("XGDMatrixSetStrFeatureInfo"),
            let createProxy: Create = find("XGProxyDMatrixCreate"),
            let setDense: SetDense = find("XGProxyDMatrixSetDataDense"),
            let fromBatches: FromBatches = find("XGQuantileDMatrixCreateFromCallback"),
            let createBooster: CreateBooster = find("XGBoosterCreate"),
            let freeBooster: Free = find("XGBoosterFree"),
            let setParameter: SetParameter = find("XGBoosterSetParam"),
            let predictMatrix: PredictMatrix = find("XGBoosterPredictFromDMatrix"),
            let predictDense: PredictDense = find("XGBoosterPredictFromDense"),
            let slice: Slice = find("XGBoosterSlice"),
            let save: Save = find("XGBoosterSaveModelToBuffer"),
            let load: Load = find("XGBoosterLoadModelFromBuffer"),
            let featureCount: Count = find("XGBoosterGetNumFeature"),
            let dump: Dump = find("XGBoosterDumpModelEx"),
            let setBoosterTexts: SetTexts = find("XGBoosterSetStrFeatureInfo")
        else { return nil }
        boostRound = library.function("XGBoosterBoostOneIter")
        trainRound = library.function("XGBoosterTrainOneIter")
        guard boostRound != nil || trainRound != nil else {
            missing = "XGBoosterTrainOneIter"
            return nil
        }
        self.version = version
        self.lastError = lastError
        self.registerLog = registerLog
        self.freeMatrix = freeMatrix
        self.matrixFromDense = matrixFromDense
        self.setTexts = setTexts
        self.createProxy = createProxy
        self.setDense = setDense
        quantileMatrixFromBatches = fromBatches
        self.createBooster = createBooster
        self.freeBooster = freeBooster
        self.setParameter = setParameter
        self.predictMatrix = predictMatrix
        self.predictDense = predictDense
        self.slice = slice
        self.save = save
        self.load = load
        self.featureCount = featureCount
        self.dump = dump
        self.setBoosterTexts = setBoosterTexts
        setThreads = library.function("omp_set_num_threads")
        collective = Collective(library)
    }
}

extension XGBoostFunctions {
    /// What joins processes.
    struct Collective: Sendable {
        typealias Create = @convention(c) (Text, HandleSlot) -> Int32
        typealias Configure = @convention(c) (XGBoostHandle, Text) -> Int32
        typealias Describe = @convention(c) (XGBoostHandle, UnsafeMutablePointer<Text?>) -> Int32
        typealias Initialize = @convention(c) (Text) -> Int32
        typealias Finalize = @convention(c) () -> Int32

        let createTracker: Create
        let runTracker: Configure
        let awaitTracker: Configure
        let trackerArguments: Describe
        let freeTracker: Free
        /// Joins the processes, for the calling thread.
        let initialize: Initialize
        /// Parts from them.
        let finalize: Finalize

        /// The functions of `library`; nil where it lacks one.
        init?(_ library: SharedLibrary) {
            guard let createTracker: Create = library.function("XGTrackerCreate"),
                let runTracker: Configure = library.function("XGTrackerRun"),
                let awaitTracker: Configure = library.function("XGTrackerWaitFor"),
                let trackerArguments: Describe = library.function("XGTrackerWorkerArgs"),
                let freeTracker: Free = library.function("XGTrackerFree"),
                let initialize: Initialize = library.function("XGCommunicatorInit"),
                let finalize: Finalize = library.function("XGCommunicatorFinalize")
            else { return nil }
            self.createTracker = createTracker
            self.runTracker = runTracker
            self.awaitTracker = awaitTracker
            self.trackerArguments = trackerArguments
            self.freeTracker = freeTracker
            self.initialize = initialize
            self.finalize = finalize
        }
    }
}
