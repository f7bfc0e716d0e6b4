use crate::coupon::{CouponRequest, Position, RequestOutcome};
use crate::messaging::{CouponIssueFailed, CouponIssued, Event};
use crate::{ErrorCode, TaskId, Timestamp};
use serde::{Deserialize, Serialize};

/// Where a request for a coupon stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum TaskStatus {
    /// It is not decided yet.
    Pending,
    /// The coupon is in the user's hands.
    Success,
    /// It was not issued.
    Fail,
}

impl TaskStatus {
    /// The status as it is written: `PENDING`, `SUCCESS` or `FAIL`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Success => "SUCCESS",
            Self::Fail => "FAIL",
        }
    }
}

/// What a client that asked for a coupon is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskUpdate {
    /// The request.
    pub task_id: TaskId,
    /// Where it stands.
    pub status: TaskStatus,
    /// The same as a sentence.
    pub message: String,
    /// When the coupon was issued.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issued_at: Option<String>,
    /// The user's place, once the coupon is issued.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
    /// Why it was not issued.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<ErrorCode>,
}

impl TaskUpdate {
    /// The present state of a request.
    pub fn of(request: &CouponRequest) -> Self {
        match request.outcome {
            RequestOutcome::Pending => Self::pending(request.task_id),
            RequestOutcome::Issued { at } => Self::issued(request.task_id, request.position, at),
            RequestOutcome::Failed { code, .. } => Self::failed(request.task_id, code),
        }
    }

    /// What an event says about a request.
    pub(super) fn from_event(event: &Event) -> Option<Self> {
        match event {
            Event::CouponIssued(CouponIssued { task_id, position, at, .. }) => Some(Self::issued(*task_id, *position, *at)),
            Event::CouponIssueFailed(CouponIssueFailed { task_id, code, .. }) => Some(Self::failed(*task_id, *code)),
            _ => None,
        }
    }

    /// A request that is not decided.
    pub fn pending(task_id: TaskId) -> Self {
        let message = "The coupon is about to be issued.".to_owned();
        Self { task_id, status: TaskStatus::Pending, message, issued_at: None, position: None, error_code: None }
    }

    /// A request that was granted.
    pub fn issued(task_id: TaskId, position: Position, at: Timestamp) -> Self {
        let message = format!("The coupon is yours: you are number {}.", position.get());
        let (issued_at, position) = (Some(at.to_string()), Some(position));
        Self { status: TaskStatus::Success, message, issued_at, position, ..Self::pending(task_id) }
    }

    fn failed(task_id: TaskId, code: ErrorCode) -> Self {
        let message = match code {
            ErrorCode::OutOfStockCoupon => "No coupon was left.",
            ErrorCode::DuplicatedCoupon => "You have this coupon already.",
            ErrorCode::InactiveUser => "The user does not exist.",
            ErrorCode::InactiveCoupon => "The coupon does not exist.",
            _ => "The coupon was not issued.",
        };
        Self { status: TaskStatus::Fail, message: message.to_owned(), error_code: Some(code), ..Self::pending(task_id) }
    }

    /// Whether nothing more will come.
    pub fn is_final(&self) -> bool {
        self.status != TaskStatus::Pending
    }
}
