using Orders.OutsideWorld;

var app = OutsideWorldHost.Build(args);
var stopping = app.Lifetime.ApplicationStopping;
try
{
    await app.RunAsync();
}
catch (OperationCanceledException) when (stopping.IsCancellationRequested)
{
    // Told to stop while a long ledger was still being read back: that is an orderly end, not a crash.
}
