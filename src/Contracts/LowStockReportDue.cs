namespace Orders.Contracts;

/// <summary>
/// It is time to tell the shop which articles run out. Published once for each firing of the schedule
/// <c>low-stock-report</c>.
/// </summary>
/// <param name="ReportId">The firing's id; also the message's id and correlation id.</param>
/// <param name="DueAt">The moment the report was due, UTC.</param>
public sealed record LowStockReportDue(Guid ReportId, DateTimeOffset DueAt);
