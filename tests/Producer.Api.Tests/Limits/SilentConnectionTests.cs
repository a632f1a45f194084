namespace Orders.Producer.Api.Tests.Limits;

internal sealed class SilentConnectionTests : ApiFixture
{
    // The server's own default is 130 s.
    [TestCase("")]
    [TestCase("GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")]
    [TestCase("GET /health/live HTTP/1.1\r\nHost:")]
    [CancelAfter(110_000)]
    public async Task A_connection_that_says_nothing_is_closed(string first, CancellationToken deadline)
    {
        using var connection = await RawConnection.OpenAsync(Api.Address);
        await connection.WriteAsync(first);
        await connection.ReadAsync().WaitAsync(deadline);
    }
}
